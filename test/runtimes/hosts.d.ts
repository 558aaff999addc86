/** A runtime, or why there is none. */
export interface Host {
  readonly name: string;
  readonly missing?: string;
  command(file: string): string[];
}

export const commandHosts: readonly Host[];
export const environment: NodeJS.ProcessEnv;
