export const PACKED: Readonly<Record<string, string>>;
