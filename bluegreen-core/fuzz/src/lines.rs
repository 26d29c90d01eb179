//! The lines of a store, each behind its checksum, and ends that are torn.

#[path = "../../src/transaction/store/lines.rs"]
mod format;

/// Takes the bytes for a file that was found, and for the lines of one that is written.
pub fn check(data: &[u8]) {
    found(data);
    if let Some((cut, text)) = data.split_first() {
        written(usize::from(*cut), &String::from_utf8_lossy(text));
    }
}

/// What is read of a file is what stands in it, and only its end may be left out.
fn found(file: &[u8]) {
    let Some((lines, whole)) = format::read(file) else { return };
    assert_eq!(format::write(&lines).as_bytes(), &file[..whole]);
    assert!(!file[whole..].iter().rev().skip(1).any(|byte| *byte == b'\n'), "one line is torn");
    assert_eq!(format::read(&file[..whole]), Some((lines, whole)), "reading cuts once");
}

/// What was written is read, wherever it is torn; and what is changed is not taken for what it was.
fn written(cut: usize, text: &str) {
    let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let file = format::write(&lines);
    assert_eq!(format::read(file.as_bytes()), Some((lines.clone(), file.len())));

    let length = file.len().saturating_sub(cut);
    let (left, whole) = format::read(&file.as_bytes()[..length]).expect("only its end is torn");
    assert_eq!(left, lines[..left.len()]);
    assert!(whole <= length);
    let torn = file.as_bytes()[whole..length].contains(&b'\n');
    assert!(!torn, "every line that is there is read");

    let mut changed = file.into_bytes();
    let at = cut % changed.len();
    changed[at] ^= 1 << (cut % 8);
    let same = format::read(&changed).is_some_and(|(found, _)| found == lines);
    assert!(!same, "a change of one bit is seen");
}
