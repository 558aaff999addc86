// Accesses that each compiler with CO-RE relocates, in one program. With
// -DTARGET the types as another kernel might have them.
typedef unsigned int u32;
typedef unsigned long long u64;
#define SEC(name) __attribute__((section(name), used))
#define CORE __attribute__((preserve_access_index))

#ifndef TARGET
struct inner { u32 left; u32 right[4]; } CORE;
struct fields { u32 same; u32 moved; struct inner nested; struct inner many[3]; u32 absent; u64 wide; struct { u32 in_anonymous; }; } CORE;

static __attribute__((noinline)) u32 from_nested(struct fields *from)
{
	return from->nested.right[2] + from->many[2].left;
}

SEC("raw_tp/loads") u64 loads(struct fields *from)
{
	return from->same + from->moved + from->many[1].right[3] + from->absent + from->wide + from->in_anonymous +
	       from_nested(from);
}
#else
struct inner { u64 pad; u32 right[6]; u32 left; };
struct fields { u32 same; u64 pad; u32 moved; struct inner many[4]; struct inner nested; u32 wide; u32 in_anonymous; } keep SEC(".keep");
#endif
char license_name[] SEC("license") = "GPL";
