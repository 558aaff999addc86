export function specimen(): { readonly bytes: Uint8Array };
