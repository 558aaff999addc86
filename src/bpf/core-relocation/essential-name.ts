/** Returns the essential name of a type: its name without the flavour. */

/**
 * Returns the name up to its flavour suffix: the last `___` between two
 * characters other than underscores. `"task_struct___old"` is a flavour of
 * `"task_struct"`. Source: libbpf's bpf_core_essential_name_len.
 */
export function essentialName(name: string): string {
  for (let at = name.lastIndexOf("___"); at > 0; at = name.lastIndexOf("___", at - 1)) {
    if (name[at - 1] !== "_" && at + 3 < name.length && name[at + 3] !== "_") return name.slice(0, at);
  }
  return name;
}
