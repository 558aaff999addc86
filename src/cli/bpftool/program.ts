/** `bpftool prog`: its usage and its commands. */
import { parseProgram } from "./objects.js";
import { pinCommand } from "./pin.js";
import { dumpPrograms } from "./program/dump.js";
import { loadProgram, loadPrograms } from "./program/load.js";
import { runProgram } from "./program/run.js";
import { showPrograms } from "./program/show.js";
import type { Arguments, Session } from "./session.js";
import { helpOf, type ToolObject } from "./tool-object.js";

const PROGRAM_USAGE = `Usage: bpftool prog { show | list } [PROG]
       bpftool prog dump xlated PROG [{ file FILE | opcodes | visual | linum }]
       bpftool prog pin   PROG FILE
       bpftool prog { load | loadall } OBJ  PATH [map { idx IDX | name NAME } MAP] [pinmaps MAP_DIR]
       bpftool prog run PROG [data_in FILE [data_out FILE [data_size_out L]]] \\
                         [ctx_in FILE [ctx_out FILE [ctx_size_out M]]] [repeat N]
       bpftool prog help

       MAP := { id MAP_ID | pinned FILE | name MAP_NAME }
       PROG := { id PROG_ID | pinned FILE | tag PROG_TAG | name PROG_NAME }
`;

/** `prog pin` */
async function pinProgram(session: Session, args: Arguments): Promise<void> {
  await pinCommand(session, args, parseProgram);
}

/** `bpftool prog` */
export const PROGRAM: ToolObject = {
  usage: PROGRAM_USAGE,
  commands: [
    ["show", showPrograms],
    ["list", showPrograms],
    ["help", helpOf(PROGRAM_USAGE)],
    ["dump", dumpPrograms],
    ["pin", pinProgram],
    ["load", loadProgram],
    ["loadall", loadPrograms],
    ["attach"],
    ["detach"],
    ["tracelog"],
    ["run", runProgram],
    ["profile"],
  ],
};
