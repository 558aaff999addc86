	.section	xdp,"ax",@progbits
	.globl	pass
	.p2align	3
	.type	pass,@function
pass:
.Lfunc_begin0:
.Ltmp0:
	r0 = 2
	exit
.Ltmp1:
.Ltmp2:
.Lfunc_end0:
	.size	pass, .Lfunc_end0-pass
	.section	"kprobe/do_unlinkat","ax",@progbits
	.globl	probe
	.p2align	3
	.type	probe,@function
probe:
.Lfunc_begin1:
.Ltmp3:
	r0 = *(u32 *)(r1 + 4)
	exit
.Ltmp4:
.Ltmp5:
.Lfunc_end1:
	.size	probe, .Lfunc_end1-probe
	.type	LICENSE,@object
	.section	license,"a",@progbits
	.globl	LICENSE
LICENSE:
	.asciz	"GPL"
	.size	LICENSE, 4
	.type	COUNTS,@object
	.section	maps,"aw",@progbits
	.globl	COUNTS
	.p2align	2, 0x0
COUNTS:
	.asciz	"\001\000\000\000\004\000\000\000\b\000\000\000\000\004\000\000\000\000\000\000\000\000\000\000\000\000\000"
	.size	COUNTS, 28
	.section	maps,"aw",@progbits
.Lsec_end0:
	.section	license,"a",@progbits
.Lsec_end1:
	.section	xdp,"ax",@progbits
.Lsec_end2:
	.section	"kprobe/do_unlinkat","ax",@progbits
.Lsec_end3:
	.section	.BTF,"",@progbits
	.short	60319
	.byte	1
	.byte	0
	.long	24
	.long	0
	.long	360
	.long	360
	.long	215
	.long	0
	.long	33554432
	.long	2
	.long	1
	.long	67108866
	.long	8
	.long	9
	.long	3
	.long	0
	.long	15
	.long	3
	.long	32
	.long	22
	.long	16777216
	.long	4
	.long	32
	.long	0
	.long	218103809
	.long	3
	.long	26
	.long	1
	.long	35
	.long	201326593
	.long	4
	.long	0
	.long	218103809
	.long	3
	.long	59
	.long	1
	.long	67
	.long	201326593
	.long	6
	.long	92
	.long	16777216
	.long	1
	.long	8
	.long	0
	.long	50331648
	.long	0
	.long	8
	.long	10
	.long	4
	.long	95
	.long	16777216
	.long	4
	.long	32
	.long	115
	.long	234881024
	.long	9
	.long	1
	.long	123
	.long	67108871
	.long	28
	.long	133
	.long	3
	.long	0
	.long	142
	.long	3
	.long	32
	.long	151
	.long	3
	.long	64
	.long	162
	.long	3
	.long	96
	.long	174
	.long	3
	.long	128
	.long	184
	.long	3
	.long	160
	.long	187
	.long	3
	.long	192
	.long	195
	.long	234881024
	.long	12
	.long	1
	.long	202
	.long	251658241
	.long	0
	.long	11
	.long	LICENSE
	.long	4
	.long	210
	.long	251658241
	.long	0
	.long	13
	.long	COUNTS
	.long	28
	.byte	0
	.ascii	"Context"
	.byte	0
	.ascii	"first"
	.byte	0
	.ascii	"second"
	.byte	0
	.ascii	"u32"
	.byte	0
	.ascii	"_context"
	.byte	0
	.ascii	"pass"
	.byte	0
	.ascii	"xdp"
	.byte	0
	.ascii	"./program.rs"
	.byte	0
	.byte	125
	.byte	0
	.ascii	"context"
	.byte	0
	.ascii	"probe"
	.byte	0
	.ascii	"kprobe/do_unlinkat"
	.byte	0
	.ascii	"u8"
	.byte	0
	.ascii	"__ARRAY_SIZE_TYPE__"
	.byte	0
	.ascii	"LICENSE"
	.byte	0
	.ascii	"BpfMapDef"
	.byte	0
	.ascii	"map_type"
	.byte	0
	.ascii	"key_size"
	.byte	0
	.ascii	"value_size"
	.byte	0
	.ascii	"max_entries"
	.byte	0
	.ascii	"map_flags"
	.byte	0
	.ascii	"id"
	.byte	0
	.ascii	"pinning"
	.byte	0
	.ascii	"COUNTS"
	.byte	0
	.ascii	"license"
	.byte	0
	.ascii	"maps"
	.byte	0
	.section	.BTF.ext,"",@progbits
	.short	60319
	.byte	1
	.byte	0
	.long	32
	.long	0
	.long	36
	.long	36
	.long	52
	.long	88
	.long	0
	.long	8
	.long	40
	.long	1
	.long	.Lfunc_begin0
	.long	5
	.long	73
	.long	1
	.long	.Lfunc_begin1
	.long	7
	.long	16
	.long	40
	.long	1
	.long	.Ltmp0
	.long	44
	.long	57
	.long	62466
	.long	73
	.long	1
	.long	.Ltmp3
	.long	44
	.long	57
	.long	56322
