// What an Aya program consists of, without its crates: programs, a map of the
// older definition, a license. program.rs.s is made of it (rustc 1.95, whose
// objects for BPF are bitcode, so that its assembly is taken), without DWARF:
//
//   RUSTC_BOOTSTRAP=1 rustc --target bpfel-unknown-none --emit=asm -C debuginfo=2 \
//     -C opt-level=2 -C panic=abort --remap-path-prefix "$PWD=." program.rs -o -
#![feature(no_core, lang_items, auto_traits)]
#![allow(internal_features)]
#![no_core]
#![crate_type = "lib"]

#[lang = "pointee_sized"]
pub trait PointeeSized {}
#[lang = "meta_sized"]
pub trait MetaSized: PointeeSized {}
#[lang = "sized"]
pub trait Sized: MetaSized {}
#[lang = "copy"]
pub trait Copy {}
impl Copy for u32 {}
impl<T: PointeeSized> Copy for *const T {}
#[lang = "freeze"]
unsafe auto trait Freeze {}
#[lang = "sync"]
pub unsafe auto trait Sync {}
#[lang = "drop_in_place"]
pub unsafe fn drop_in_place<T: PointeeSized>(_: *mut T) {}

#[repr(C)]
pub struct BpfMapDef {
    map_type: u32,
    key_size: u32,
    value_size: u32,
    max_entries: u32,
    map_flags: u32,
    id: u32,
    pinning: u32,
}

#[repr(C)]
pub struct Context {
    first: u32,
    second: u32,
}

#[no_mangle]
#[link_section = "maps"]
pub static mut COUNTS: BpfMapDef =
    BpfMapDef { map_type: 1, key_size: 4, value_size: 8, max_entries: 1024, map_flags: 0, id: 0, pinning: 0 };

#[no_mangle]
#[link_section = "kprobe/do_unlinkat"]
pub unsafe extern "C" fn probe(context: *const Context) -> u32 {
    (*context).second
}

#[no_mangle]
#[link_section = "xdp"]
pub extern "C" fn pass(_context: *const Context) -> u32 {
    2
}

#[no_mangle]
#[link_section = "license"]
pub static LICENSE: [u8; 4] = [71, 80, 76, 0];
