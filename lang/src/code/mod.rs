//! Bytecode: the instruction table, the program as data, the verifier that alone makes one, and the disassembler.

pub mod disasm;
pub mod op;
pub mod program;
pub mod verify;
