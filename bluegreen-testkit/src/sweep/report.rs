use std::fmt;

use super::case::Case;
use super::subject::Subject;

/// How a case came out well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Everything is in place, and the run said so.
    Committed,
    /// Everything is as before, and the run said so.
    RolledBack,
    /// Nothing was begun, and the run said so.
    NotStarted,
    /// The run was left open, and a recovery found everything in place or went on.
    DirtyThenCommitted,
    /// The run was left open, and a recovery took it back.
    DirtyThenRolledBack,
}

/// A case that did not come out well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What was swept.
    pub subject: String,
    /// What went wrong there.
    pub case: Case,
    /// What must not be, and was.
    pub what: String,
}

/// What a sweep of one subject found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What was swept.
    pub subject: String,
    /// How many cases there were.
    pub cases: usize,
    /// How many ended with everything in place.
    pub committed: usize,
    /// How many ended with everything as before.
    pub rolled_back: usize,
    /// How many began nothing.
    pub not_started: usize,
    /// How many were left open, and then recovered.
    pub recovered: usize,
    /// How many came out badly.
    pub violations: usize,
    findings: Vec<Finding>,
}

/// What a sweep found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    rows: Vec<Row>,
}

pub(super) fn rows<S: Subject>(subjects: &[S]) -> Vec<Row> {
    subjects.iter().map(|one| Row { subject: one.name(), ..Row::default() }).collect()
}

impl Row {
    pub(super) fn take(&mut self, played: Vec<(Case, Result<Verdict, String>)>) {
        for (case, judged) in played {
            self.cases += 1;
            match judged {
                Ok(Verdict::Committed) => self.committed += 1,
                Ok(Verdict::RolledBack) => self.rolled_back += 1,
                Ok(Verdict::NotStarted) => self.not_started += 1,
                Ok(Verdict::DirtyThenCommitted | Verdict::DirtyThenRolledBack) => {
                    self.recovered += 1;
                }
                Err(what) => {
                    self.violations += 1;
                    self.findings.push(Finding { subject: self.subject.clone(), case, what });
                }
            }
        }
    }

    fn add(&mut self, other: &Self) {
        self.cases += other.cases;
        self.committed += other.committed;
        self.rolled_back += other.rolled_back;
        self.not_started += other.not_started;
        self.recovered += other.recovered;
        self.violations += other.violations;
    }
}

impl Report {
    pub(super) fn new(rows: Vec<Row>) -> Self {
        Self { rows }
    }

    /// Returns what was found, subject by subject.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Returns everything that was found, in one row.
    pub fn total(&self) -> Row {
        let mut total = Row { subject: "in all".to_owned(), ..Row::default() };
        self.rows.iter().for_each(|row| total.add(row));
        total
    }

    /// Returns every case that did not come out well.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.rows.iter().flat_map(|row| &row.findings)
    }

    /// Wants every case to have come out well, and every way to come out to have been seen.
    ///
    /// # Panics
    ///
    /// If one did not, with the first few; or if there were fewer than `floor` cases, or no case
    /// that was committed, that was rolled back, or that was left open and recovered: a sweep that
    /// runs nothing finds nothing.
    pub fn assert_clean(&self, floor: usize) {
        const SHOWN: usize = 10;
        let findings: Vec<String> = self
            .findings()
            .take(SHOWN)
            .map(|finding| format!("{}: {}\n    {}", finding.subject, finding.case, finding.what))
            .collect();
        let total = self.total();
        assert!(
            findings.is_empty(),
            "{} of {} cases came out badly:\n  {}",
            total.violations,
            total.cases,
            findings.join("\n  ")
        );
        assert!(total.cases >= floor, "only {} cases, not {floor}", total.cases);
        let seen = [total.committed, total.rolled_back, total.recovered];
        assert!(!seen.contains(&0), "some way to come out was never seen:\n{self}");
        let sum = seen.iter().sum::<usize>() + total.not_started;
        assert_eq!(sum, total.cases, "every case comes out in one way");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.total();
        let width = self.rows.iter().map(|row| row.subject.len()).max().unwrap_or(0).max(6);
        writeln!(
            f,
            "{:<width$}  {:>7}  {:>9}  {:>11}  {:>11}  {:>9}  {:>10}",
            "", "cases", "committed", "rolled back", "not started", "recovered", "violations"
        )?;
        for row in self.rows.iter().chain([&total]) {
            writeln!(
                f,
                "{:<width$}  {:>7}  {:>9}  {:>11}  {:>11}  {:>9}  {:>10}",
                row.subject,
                row.cases,
                row.committed,
                row.rolled_back,
                row.not_started,
                row.recovered,
                row.violations
            )?;
        }
        Ok(())
    }
}
