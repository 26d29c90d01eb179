use bluegreen_core::model::RunId;
use bluegreen_core::transaction::{Store, StoreErrorKind};
use futures_util::future::join_all;

use super::arrange::{lines, refusal, run};
use super::{Clause, Fixture, Opening, clauses};

pub(super) const CLAUSES: &[(&str, Clause)] = clauses![
    what_was_appended_is_read_back_in_order,
    a_line_may_be_any_text_of_one_line,
    a_new_run_has_no_lines,
    a_run_is_created_once,
    of_many_who_create_a_run_one_succeeds,
    a_run_that_was_never_created_is_not_found,
    every_run_is_told_oldest_first,
    runs_do_not_mix,
    an_opened_journal_goes_on_where_it_ended,
    there_is_one_writer_at_a_time,
    an_older_writer_leaves_nothing_behind,
    closing_changes_nothing_that_can_be_read,
    a_closed_run_stays_a_run,
];

/// What was appended is read back, in order, by any process from then on.
pub async fn what_was_appended_is_read_back_in_order(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "order");
    let mut journal = store.create(&run).await.expect("a run can be created");
    let mut all = Vec::new();
    for number in 0..12 {
        let appended = lines(&[&format!("{number}a"), &format!("{number}b")]);
        journal.append(&appended).await.expect("a journal can be written");
        all.extend(appended);
        let read = store.read(&run).await.expect("a journal can be read while it is written");
        assert_eq!(read, all, "what was appended is what is read");
    }
    drop(journal);
    assert_eq!(store.read(&run).await.expect("a journal can be read"), all, "it stays");
}

/// A line may be any text without an end of line.
pub async fn a_line_may_be_any_text_of_one_line(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "text");
    let long = "x".repeat(100_000);
    let all = lines(&["", " ", "käse → \u{1f535}", "a\tb\r", "{\"json\":\"\\n\"}", &long]);
    let mut journal = store.create(&run).await.expect("a run can be created");
    journal.append(&all).await.expect("a journal can be written");
    assert_eq!(store.read(&run).await.expect("a journal can be read"), all, "to the letter");
}

/// Makes the journal of a new run.
pub async fn a_new_run_has_no_lines(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "new");
    let journal = store.create(&run).await.expect("a run can be created");
    assert_eq!(store.read(&run).await.expect("it is there at once"), [""; 0], "it is empty");
    drop(journal);
    let (found, _) = store.open(&run).await.expect("it can be opened");
    assert_eq!(found, [""; 0], "it is still empty");
}

/// A run is created once.
pub async fn a_run_is_created_once(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "once");
    let mut journal = store.create(&run).await.expect("a run can be created");
    let kind = refusal(store.create(&run).await, "creating a run again");
    assert_eq!(kind, StoreErrorKind::Exists, "there is such a run");
    journal.append(&lines(&["one"])).await.expect("the first one is the writer still");
    journal.close().await.expect("a journal can be closed");
    drop(journal);
    let kind = refusal(store.create(&run).await, "creating a run again that has ended");
    assert_eq!(kind, StoreErrorKind::Exists, "there was such a run");
    assert_eq!(store.read(&run).await.expect("a journal can be read"), ["one"], "it is unharmed");
}

/// Of many who create a run at once, one succeeds, and can write it.
pub async fn of_many_who_create_a_run_one_succeeds(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "race");
    let tries = join_all((0..8).map(|_| store.create(&run))).await;
    let mut made = Vec::new();
    for result in tries {
        match result {
            Ok(journal) => made.push(journal),
            Err(error) => assert_eq!(error.kind(), &StoreErrorKind::Exists, "{error}"),
        }
    }
    let [journal] = made.as_mut_slice() else { panic!("{} created the run", made.len()) };
    journal.append(&lines(&["one"])).await.expect("the one who created it writes it");
}

/// A run that was never created is not found.
pub async fn a_run_that_was_never_created_is_not_found(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "absent");
    let kind = refusal(store.read(&run).await, "reading a run that is not there");
    assert_eq!(kind, StoreErrorKind::NotFound, "there is no such run");
    let kind = refusal(store.open(&run).await, "opening a run that is not there");
    assert_eq!(kind, StoreErrorKind::NotFound, "there is no such run");
}

/// Returns every run, oldest first.
pub async fn every_run_is_told_oldest_first(store: &dyn Store, fixture: &Fixture) {
    let before = store.runs().await.expect("runs can be listed");
    let made = ["list-3", "list-1", "list-2/%"].map(|suffix| run(fixture, suffix));
    for run in &made {
        store.create(run).await.expect("a run can be created");
    }
    let mut all: Vec<RunId> = before.into_iter().chain(made).collect();
    all.sort();
    assert_eq!(store.runs().await.expect("runs can be listed"), all, "each once, in order");
}

/// Runs do not mix, also where one name begins as another.
pub async fn runs_do_not_mix(store: &dyn Store, fixture: &Fixture) {
    let (short, long) = (run(fixture, "mix"), run(fixture, "mix2"));
    let mut one = store.create(&short).await.expect("a run can be created");
    let mut other = store.create(&long).await.expect("another run can be created");
    one.append(&lines(&["short"])).await.expect("a journal can be written");
    other.append(&lines(&["long"])).await.expect("a journal can be written");
    assert_eq!(store.read(&short).await.expect("a journal can be read"), ["short"]);
    assert_eq!(store.read(&long).await.expect("a journal can be read"), ["long"]);
}

/// Opens the journal of a run to go on with it.
pub async fn an_opened_journal_goes_on_where_it_ended(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "open");
    let mut all = Vec::new();
    drop(store.create(&run).await.expect("a run can be created"));
    for number in 0..4 {
        let (found, mut journal) = store.open(&run).await.expect("a journal can be opened");
        assert_eq!(found, all, "what was appended is what is found");
        let more = lines(&[&number.to_string()]);
        journal.append(&more).await.expect("whoever opened it writes it");
        all.extend(more);
    }
    assert_eq!(store.read(&run).await.expect("a journal can be read"), all, "it is all there");
}

/// There is one writer at a time: whoever opened it last, or who opened it first and lives.
pub async fn there_is_one_writer_at_a_time(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "writer");
    let mut older = store.create(&run).await.expect("a run can be created");
    older.append(&lines(&["one"])).await.expect("a journal can be written");
    match (store.open(&run).await, fixture.opening) {
        (Ok((found, mut newer)), Opening::TakesOver) => {
            assert_eq!(found, ["one"], "what was appended is what is found");
            let kind = refusal(older.append(&lines(&["stale"])).await, "writing as the older one");
            assert_eq!(kind, StoreErrorKind::Fenced, "another process writes it");
            newer.append(&lines(&["two"])).await.expect("whoever opened it last writes it");
            let kind = refusal(older.append(&lines(&["stale"])).await, "writing once more");
            assert_eq!(kind, StoreErrorKind::Fenced, "another process writes it");
        }
        (Err(error), Opening::IsRefused) => {
            assert_eq!(error.kind(), &StoreErrorKind::Fenced, "another process writes it");
            older.append(&lines(&["two"])).await.expect("whoever writes it goes on");
        }
        (result, opening) => panic!("opening must be as the fixture says: {opening:?}, {result:?}"),
    }
    let read = store.read(&run).await.expect("a journal can be read");
    assert_eq!(read, ["one", "two"], "only the writer wrote");
}

/// An older writer's append fails as `Fenced`, and leaves nothing behind; not after the end either.
pub async fn an_older_writer_leaves_nothing_behind(store: &dyn Store, fixture: &Fixture) {
    if fixture.opening == Opening::IsRefused {
        return;
    }
    let run = run(fixture, "fence");
    let mut oldest = store.create(&run).await.expect("a run can be created");
    oldest.append(&lines(&["one"])).await.expect("a journal can be written");
    let (_, mut older) = store.open(&run).await.expect("a journal can be opened");
    older.append(&lines(&["two"])).await.expect("a journal can be written");
    let (_, mut newest) = store.open(&run).await.expect("a journal can be opened");
    newest.append(&lines(&["three"])).await.expect("a journal can be written");
    newest.close().await.expect("a journal can be closed");
    for writer in [&mut oldest, &mut older] {
        let kind = refusal(writer.append(&lines(&["stale"])).await, "writing as an older one");
        assert_eq!(kind, StoreErrorKind::Fenced, "another process writes it");
    }
    let read = store.read(&run).await.expect("a journal can be read");
    assert_eq!(read, ["one", "two", "three"], "nothing was left behind");
}

/// Closing changes nothing that can be read.
pub async fn closing_changes_nothing_that_can_be_read(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "close");
    let mut journal = store.create(&run).await.expect("a run can be created");
    for line in ["one", "two", "three"] {
        journal.append(&lines(&[line])).await.expect("a journal can be written");
    }
    journal.close().await.expect("a journal can be closed");
    let all = ["one", "two", "three"];
    assert_eq!(store.read(&run).await.expect("a closed journal can be read"), all);
    journal.close().await.expect("a journal can be closed again");
    drop(journal);
    let (found, mut again) = store.open(&run).await.expect("a closed journal can be opened");
    assert_eq!(found, all, "what was appended is what is found");
    again.close().await.expect("a closed journal can be closed");
    assert_eq!(store.read(&run).await.expect("a closed journal can be read"), all);
}

/// A run that was closed is told among the others.
pub async fn a_closed_run_stays_a_run(store: &dyn Store, fixture: &Fixture) {
    let run = run(fixture, "closed");
    let mut journal = store.create(&run).await.expect("a run can be created");
    journal.append(&lines(&["one"])).await.expect("a journal can be written");
    journal.close().await.expect("a journal can be closed");
    let runs = store.runs().await.expect("runs can be listed");
    assert_eq!(runs.iter().filter(|known| **known == run).count(), 1, "it is told once");
}
