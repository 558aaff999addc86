#!/usr/bin/env node
/** The executable. What it loads is compiled once, where the runtime keeps that (Node 22.8). */
import type * as Module from "node:module";

const { enableCompileCache }: Partial<typeof Module & { enableCompileCache(): unknown }> =
  process.getBuiltinModule("node:module");
enableCompileCache?.();

void import("./process.js");
