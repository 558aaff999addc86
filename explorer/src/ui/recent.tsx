/** Files that were opened before, if the person keeps them. */
export function Recent() {
  return null;
}
