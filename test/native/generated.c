// Prints the values that a compiler finds in bytes, as JSON: generated code has to find the same.
#include <stdio.h>
#include <string.h>
#include "generated.h"

static unsigned char bytes[512];

#define U(name, expression) printf("%s\"%s\":\"%llu\"", comma, name, (unsigned long long)(expression)), comma = ","
#define I(name, expression) printf("%s\"%s\":\"%lld\"", comma, name, (long long)(expression)), comma = ","

int main(void) {
  const char *comma = "{";
  if (fread(bytes, 1, sizeof bytes, stdin) != sizeof bytes) return 1;
  struct flags flags;
  struct tight tight;
  struct holes holes;
  struct mixed mixed;
  memcpy(&flags, bytes, sizeof flags);
  memcpy(&tight, bytes, sizeof tight);
  memcpy(&holes, bytes, sizeof holes);
  memcpy(&mixed, bytes, sizeof mixed);
  U("flags.a", flags.a); I("flags.b", flags.b); U("flags.c", flags.c); U("flags.d", flags.d);
  U("flags.e", flags.e); I("flags.f", flags.f); U("flags.g", flags.g);
  I("tight.tag", tight.tag); U("tight.low", tight.low); U("tight.high", tight.high);
  U("tight.value", tight.value); U("tight.last", tight.last);
  U("holes.second", holes.second); I("holes.third", holes.third); U("holes.inside.high", holes.inside.high);
  I("holes.aligned", holes.aligned);
  U("mixed.number", mixed.number); U("mixed.low", mixed.low); U("mixed.high", mixed.high);
  I("mixed.points.1.2.y", mixed.points[1][2].y); U("mixed.tiny", mixed.tiny); U("mixed.wide", mixed.wide);
  I("mixed.small", mixed.small); U("mixed.pointer", mixed.pointer); U("mixed.class", mixed.class); U("mixed.type", mixed.type);
  puts("}");
  return 0;
}
