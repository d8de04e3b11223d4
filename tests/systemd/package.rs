//! The files of the Debian package, by the list cargo-deb reads.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One line of `[package.metadata.deb] assets`.
struct Asset {
    source: String,
    /// Below `/`.
    target: PathBuf,
    mode: u32,
}

fn metadata() -> toml::Table {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let manifest: toml::Table = toml::from_str(&text).unwrap();
    manifest["package"]["metadata"]["deb"].as_table().unwrap().clone()
}

fn assets() -> Vec<Asset> {
    let asset = |line: &toml::Value| {
        let word = |n: usize| line[n].as_str().unwrap().to_string();
        let name = Path::new(&word(0)).file_name().unwrap().to_owned();
        let target = Path::new(&word(1)).join(if word(1).ends_with('/') { name } else { Default::default() });
        Asset { source: word(0), target, mode: u32::from_str_radix(&word(2), 8).unwrap() }
    };
    metadata()["assets"].as_array().unwrap().iter().map(asset).collect()
}

/// What systemd/debian/build would make of the binary.
fn content(asset: &Asset) -> Vec<u8> {
    let kithd = env!("CARGO_BIN_EXE_kithd");
    let say = |arguments: &[&str]| {
        let out = Command::new(kithd).args(arguments).output().unwrap();
        assert!(out.status.success(), "{arguments:?}: {out:?}");
        out.stdout
    };
    let made = ["man", "completions bash", "completions zsh", "completions fish"];
    let build = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("systemd/debian/build")).unwrap();
    let by = made.iter().find(|m| build.contains(&format!("$kithd {m} >{}\n", asset.source)));
    match (asset.source.as_str(), by) {
        ("target/release/kithd", _) => std::fs::read(kithd).unwrap(),
        (_, Some(arguments)) => say(&arguments.split(' ').collect::<Vec<_>>()),
        (source, None) => {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
            std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
        }
    }
}

/// Installs all of it below a root.
pub fn install(root: &Path) {
    for asset in assets() {
        let target = root.join(&asset.target);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::write(&target, content(&asset)).unwrap();
        std::fs::set_permissions(&target, std::fs::Permissions::from_mode(asset.mode)).unwrap();
    }
}

#[test]
fn the_package_has_what_it_names() {
    let root = tempfile::tempdir().unwrap();
    install(root.path());
    let text = |path: &str| std::fs::read_to_string(root.path().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
    assert!(
        text("usr/share/man/man1/kithd.1").contains("kithd\\-init")
            || text("usr/share/man/man1/kithd.1").contains("INIT")
    );
    assert!(text("usr/share/bash-completion/completions/kithd").contains("complete -F _kithd"));
    assert!(text("usr/share/zsh/vendor-completions/_kithd").starts_with("#compdef kithd"));
    assert!(text("usr/share/fish/vendor_completions.d/kithd.fish").contains("complete -c kithd"));
    assert!(text("usr/share/doc/kithd/examples/config.example.toml").contains("[me]"));
    for unit in ["system/kithd.service", "system/kithd@.service", "user/kithd.service"] {
        assert!(text(&format!("usr/lib/systemd/{unit}")).contains("ExecStart=/usr/bin/kithd"), "{unit}");
    }
    // every unit and drop-in of the repository is shipped
    let shipped: Vec<String> = assets().into_iter().map(|a| a.source).collect();
    for dir in ["systemd", "systemd/user", "systemd/drop-ins"] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).unwrap().flatten() {
            let source = format!("{dir}/{}", entry.file_name().to_string_lossy());
            assert!(entry.path().is_dir() || shipped.contains(&source), "{source} is not in the package");
        }
    }
    // no script of the package starts or enables anything
    for script in ["postinst", "prerm", "postrm"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(metadata()["maintainer-scripts"].as_str().unwrap());
        let text = std::fs::read_to_string(path.join(script)).unwrap();
        assert!(!text.contains("enable ") && !text.contains("systemctl start"), "{script}");
        let check = Command::new("sh").arg("-n").arg(path.join(script)).status().unwrap();
        assert!(check.success(), "{script}");
    }
}
