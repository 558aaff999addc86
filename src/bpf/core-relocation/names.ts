/** Essential names: what is left of a type's name without its flavour. */

/**
 * The name up to its flavour suffix: the last `___` that stands between two
 * characters that are no underscores. `"task_struct___old"` is a flavour of
 * `"task_struct"`. Source: libbpf's bpf_core_essential_name_len.
 */
export function essentialName(name: string): string {
  for (let at = name.lastIndexOf("___"); at > 0; at = name.lastIndexOf("___", at - 1)) {
    if (name[at - 1] !== "_" && at + 3 < name.length && name[at + 3] !== "_") return name.slice(0, at);
  }
  return name;
}
