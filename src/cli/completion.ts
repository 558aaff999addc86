/** `btfkit complete SHELL`: the script that lets a shell complete commands, options and their values. */
import tab from "@bomb.sh/tab/commander";
import type { Command } from "commander";

export function addCompletion(root: Command): void {
  tab(root);
}
