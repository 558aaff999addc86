export function SizeMap() {
  return null;
}
