//! The binary: everything is in the library, so that tests and examples use the same code.

fn main() -> std::process::ExitCode {
    kithd::cli::main()
}
