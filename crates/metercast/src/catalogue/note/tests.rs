//! Notes in files of all sorts: among other bytes, cut off, forged, and of other machines and versions.

use super::*;

fn put(out: &mut Vec<u8>, which: u8, content: &[u8]) {
    out.push(which);
    out.extend((content.len() as u32).to_le_bytes());
    out.extend(content);
}

fn fields(name: &str) -> Vec<u8> {
    let mut fields = Vec::new();
    put(&mut fields, field::NAME, name.as_bytes());
    put(&mut fields, field::KIND, &[kind_number(Kind::Counter)]);
    put(&mut fields, field::NUMBER, &[number_number(NumberType::U64)]);
    put(&mut fields, field::CORE, b"0.1.0");
    fields
}

fn note_of(fields: &[u8], shape: u32, number: fn(u32) -> [u8; 4]) -> Vec<u8> {
    let mut note = Vec::new();
    for header in [OWNER_SIZE, (PREFIX + fields.len()) as u32, shape] {
        note.extend(number(header));
    }
    note.extend(OWNER);
    note.extend([MARK, 0, 0, 0]);
    note.extend((fields.len() as u32).to_le_bytes());
    note.extend(checksum(fields).to_le_bytes());
    note.extend(fields);
    note
}

fn a_note(name: &str) -> Vec<u8> {
    note_of(&fields(name), SHAPE, u32::to_le_bytes)
}

fn names(file: &[u8]) -> Vec<String> {
    find(file).unwrap().metrics.into_iter().map(|metric| metric.name).collect()
}

/// Gives no more than so many bytes at a time.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = out.len().min(self.1);
        self.0.read(&mut out[..most])
    }
}

#[test]
fn notes_are_found_wherever_they_are() {
    let mut file = vec![MARK; 100];
    for name in ["a", "b", "c"] {
        file.extend(a_note(name));
        file.extend([0; 7]);
    }
    assert_eq!(names(&file), ["a", "b", "c"]);
    let trickled = find(Trickle(&file, 3)).unwrap();
    assert_eq!(trickled.metrics.len(), 3);
    assert_eq!(trickled.cores, ["0.1.0"]);
}

#[test]
fn a_note_may_lie_across_what_is_read_at_a_time() {
    let note = a_note("across");
    for before in 0..=note.len() {
        // Of the note, so many bytes are in the first step.
        let mut file = vec![0x90; STEP as usize - before];
        file.extend(&note);
        file.extend(vec![MARK; 50]);
        assert_eq!(names(&file), ["across"], "{before}");
    }
}

#[test]
fn a_note_that_is_cut_off_is_none() {
    let note = a_note("whole");
    for end in 0..note.len() {
        assert_eq!(names(&note[..end]), [""; 0], "{end}");
    }
}

#[test]
fn a_note_with_a_byte_changed_is_none() {
    let note = a_note("whole");
    // The size in the header says nothing that is not said again; the shape of another version is told.
    let tolerated = 4..12;
    for at in (0..note.len()).filter(|at| !tolerated.contains(at) && !(HEADER + 1..HEADER + 4).contains(at)) {
        let mut changed = note.clone();
        changed[at] ^= 0x11;
        assert_eq!(names(&changed), [""; 0], "{at}");
    }
}

#[test]
fn lengths_that_lie_do_no_harm() {
    for size in [u32::MAX, MOST as u32, 1 << 20] {
        let mut note = a_note("whole");
        note[HEADER + 4..HEADER + 8].copy_from_slice(&size.to_le_bytes());
        note.extend(a_note("after"));
        assert_eq!(names(&note), ["after"], "{size}");
    }
    // Fields that are longer than the note, with a checksum that is right.
    let mut fields = fields("short");
    fields.extend([field::UNIT, 0xff, 0xff, 0xff, 0xff, b's']);
    let found = find(&*note_of(&fields, SHAPE, u32::to_le_bytes)).unwrap();
    assert_eq!((&*found.metrics[0].name, &*found.metrics[0].unit), ("short", ""));
}

#[test]
fn a_program_for_a_machine_with_another_order_of_bytes_is_read() {
    let file = note_of(&fields("big"), SHAPE, u32::to_be_bytes);
    assert_eq!(names(&file), ["big"]);
}

#[test]
fn what_another_version_wrote_is_told() {
    let found = find(&*note_of(&fields("new"), SHAPE + 1, u32::to_le_bytes)).unwrap();
    assert_eq!((found.metrics.len(), found.unknown), (0, 1));
    let mut fields = fields("new kind");
    put(&mut fields, field::KIND, &[200]);
    let found = find(&*note_of(&fields, SHAPE, u32::to_le_bytes)).unwrap();
    assert_eq!((found.metrics.len(), found.unknown), (0, 1), "a kind that is not known");
}

#[test]
fn a_field_that_is_not_known_is_passed_over() {
    let mut fields = fields("more");
    put(&mut fields, field::LABEL, b"key");
    put(&mut fields, 250, b"of a later version");
    put(&mut fields, field::VALUE, b"one");
    let found = find(&*note_of(&fields, SHAPE, u32::to_le_bytes)).unwrap();
    let label = &found.metrics[0].labels[0];
    assert_eq!(label.values, Values::OneOf { texts: vec!["one".to_owned()], fallback: None });
}
