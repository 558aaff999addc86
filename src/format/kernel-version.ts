/** The kinds and flags that each Linux release knows; validation rules are otherwise alike. */

import { ERR_ARGUMENT } from "../errors/btf.js";
import { BtfError } from "../errors/error.js";
import * as abi from "../memory/generated/edit-abi.js";
import { KIND_RELEASES } from "./generated/records.js";

export interface KernelRules {
  readonly maxKind: number;
  /** FEATURE_ bits. */
  readonly features: number;
  /** Headers of 32 bytes, with the place of a layout section. */
  readonly knowsLayout: boolean;
}

/** The release whose rules count where none is given. */
const DEFAULT = 6018;
/** First release, as major × 1000 + minor, that knows the layout section. */
const LAYOUT_SINCE = 7000;

const FEATURES: readonly (readonly [release: number, feature: number])[] = [
  [5006, abi.FEATURE_FUNC_LINKAGE],
  [5012, abi.FEATURE_EMPTY_SECTION],
  [5017, abi.FEATURE_FUNC_TARGET],
  [6000, abi.FEATURE_ENUM_FLAG],
  [6015, abi.FEATURE_TAG_FLAG | abi.FEATURE_FIELDS],
  [7000, abi.FEATURE_LATE_TAGS],
];

/** `"6.1"`, `"6.12.95-amd64"` … @throws BtfError ERR_ARGUMENT */
export function kernelRules(version: string | undefined): KernelRules {
  const release = version === undefined ? DEFAULT : releaseOf(version);
  const maxKind = KIND_RELEASES.findLast(([since]) => release >= since)?.[1];
  if (maxKind === undefined)
    throw new BtfError(ERR_ARGUMENT, { note: `Linux ${version} loads no BTF: 4.18 is the first that does` });
  const features = FEATURES.reduce((bits, [since, feature]) => (release >= since ? bits | feature : bits), 0);
  return { maxKind, features, knowsLayout: release >= LAYOUT_SINCE };
}

/** Major × 1000 + minor. */
export function releaseOf(version: string): number {
  const [, major, minor] = /^v?(\d+)\.(\d+)(?:[.\-+].*)?$/.exec(version) ?? [];
  if (major === undefined) throw new BtfError(ERR_ARGUMENT, { note: `"${version}" is no kernel version such as 6.12` });
  return Number(major) * 1000 + Number(minor);
}
