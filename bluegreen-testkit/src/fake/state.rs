use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use bluegreen_core::cloud::CloudError;
use bluegreen_core::model::{
    AccountId, BalancerLimits, LaunchTemplateName, Limits, LoadBalancerKind, ScalingGroupName,
    TargetGroupName,
};
use bluegreen_core::transaction::fields;
use tokio::runtime::Handle;
use tokio::time::Instant;

use super::call::FakeCall;
use super::machines::Machinery;
use super::meddle;
use super::papers::Papers;
use super::piece::Piece;
use super::timing::Timing;
use super::traffic::{self, Fading, Moment};
use super::world::{ScalingGroupState, World};
use crate::fault::{Meddle, Script};

/// What a changing call does when it lands.
pub(super) type Edit = Box<dyn FnOnce(&mut State) -> Result<(), CloudError> + Send>;

/// Everything that a fake cloud is.
///
/// Time passes only here: whoever looks brings it up to date first.
pub(super) struct State {
    started: Option<Instant>,
    /// What the clock said when it started.
    origin: Duration,
    pub(super) now: Duration,
    pub(super) account: AccountId,
    pub(super) papers: Papers,
    pub(super) timing: Timing,
    pub(super) limits: Limits,
    pub(super) world: World,
    pub(super) machinery: Machinery,
    /// Deleted groups that are still seen.
    pub(super) dying: BTreeMap<ScalingGroupName, Dying>,
    /// The highest version of a template that ever was.
    pub(super) burned: BTreeMap<LaunchTemplateName, u64>,
    /// Instance refreshes that are under way.
    pub(super) refreshes: BTreeMap<ScalingGroupName, String>,
    /// When the last route let go of a target group.
    pub(super) released: BTreeMap<TargetGroupName, Duration>,
    /// When requests reached a target group for the last time, of those that they do not reach now.
    requested: BTreeMap<TargetGroupName, Duration>,
    /// Target groups whose requests nobody counts.
    pub(super) unmeasured: BTreeSet<TargetGroupName>,
    /// Target groups of which only the first step was made.
    pub(super) half_made: BTreeSet<TargetGroupName>,
    /// Whether a call that takes several steps takes the first one only.
    pub(super) breaking_off: bool,
    late: Vec<Late>,
    stale: Vec<Stale>,
    /// The last change: what it was about, if it said so, and the world before it.
    last: Option<(Option<Piece>, World)>,
    /// What somebody else touched last, and what they changed about it.
    pub(super) met: Option<Met>,
    fading: Vec<Fading>,
    pub(super) script: Script,
    pub(super) calls: Vec<FakeCall>,
    pub(super) history: Vec<Moment>,
}

/// What somebody else did.
#[derive(Clone, Debug)]
pub(super) struct Met {
    piece: Piece,
    /// The value of every field that they changed, which may be none.
    theirs: BTreeMap<String, Option<String>>,
    /// Whether anybody could have seen it since.
    shown: bool,
    /// Whether it was written again before anybody could have seen it.
    raced: bool,
}

impl Met {
    fn new(piece: Piece, before: &World, after: &World) -> Self {
        let (before, after) = (fields(before), fields(after));
        let names = before.keys().chain(after.keys());
        let changed = names.filter(|name| before.get(*name) != after.get(*name));
        let theirs = changed.map(|name| (name.clone(), after.get(name).cloned())).collect();
        Self { piece, theirs, shown: false, raced: false }
    }

    /// Takes note of a call: whoever writes without having looked could not have known.
    pub(super) fn witness(&mut self, resource: &str, written: Option<&Piece>) {
        match written {
            None => self.shown |= self.piece.is_shown_by(resource),
            Some(piece) => self.raced |= *piece == self.piece && !self.shown,
        }
    }

    /// Returns a field that is not as they left it, unless the whole thing is gone, or nobody could
    /// have helped it.
    pub(super) fn overwritten_in(&self, world: &World) -> Option<String> {
        if self.raced {
            return None;
        }
        let mut gone = world.clone();
        gone.revert(&self.piece, &World::default());
        if gone == *world {
            return None;
        }
        let found = fields(world);
        let lost = self.theirs.iter().find(|(name, theirs)| found.get(*name) != theirs.as_ref());
        lost.map(|(name, theirs)| {
            format!("{name} was {theirs:?}, is {:?} ({:?})", found.get(name), self.piece)
        })
    }
}

/// A deleted group that is still seen.
#[derive(Clone, Debug)]
pub(super) struct Dying {
    pub(super) until: Duration,
    pub(super) group: ScalingGroupState,
}

/// A call whose answer was lost and that has not landed yet.
struct Late {
    at: Duration,
    cause: String,
    piece: Piece,
    edit: Edit,
}

/// A piece that reads show as it was.
struct Stale {
    until: Duration,
    /// Everything, if nothing is said.
    piece: Option<Piece>,
    before: World,
}

/// What accounts begin with.
fn usual_limits() -> Limits {
    let of = |rules, target_groups, target_groups_per_action| BalancerLimits {
        listeners: Some(50),
        rules,
        target_groups,
        target_groups_per_action: Some(target_groups_per_action),
    };
    Limits { application: of(Some(100), Some(100), 5), network: of(None, None, 5) }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("State").field("now", &self.now).finish_non_exhaustive()
    }
}

impl State {
    /// Makes a cloud of that world in which everything has come to rest.
    pub(super) fn new(world: World) -> Self {
        let newest =
            |template: &super::TemplateState| template.versions.keys().next_back().copied();
        let burned = world.templates.iter();
        let burned = burned.map(|(name, one)| (name.clone(), newest(one).unwrap_or(0))).collect();
        let mut state = Self {
            // Outside a runtime there is no virtual clock yet: it starts at the first use.
            started: Handle::try_current().is_ok().then(Instant::now),
            origin: Duration::ZERO,
            now: Duration::ZERO,
            account: AccountId::new("111122223333"),
            papers: Papers::default(),
            timing: Timing::default(),
            limits: usual_limits(),
            world,
            machinery: Machinery::default(),
            dying: BTreeMap::new(),
            burned,
            refreshes: BTreeMap::new(),
            released: BTreeMap::new(),
            requested: BTreeMap::new(),
            unmeasured: BTreeSet::new(),
            half_made: BTreeSet::new(),
            breaking_off: false,
            late: vec![],
            stale: vec![],
            last: None,
            met: None,
            fading: vec![],
            script: Script::default(),
            calls: vec![],
            history: vec![],
        };
        state.settle();
        state
    }

    /// Copies everything but what is planned and what is noted; the clock stands until somebody
    /// looks.
    pub(super) fn fork(&self) -> Self {
        assert!(self.late.is_empty(), "a call that is on its way cannot land twice");
        let mut fork = Self {
            started: None,
            origin: self.now,
            now: self.now,
            account: self.account.clone(),
            papers: self.papers.clone(),
            timing: self.timing,
            limits: self.limits,
            world: self.world.clone(),
            machinery: self.machinery.clone(),
            dying: self.dying.clone(),
            burned: self.burned.clone(),
            refreshes: self.refreshes.clone(),
            released: self.released.clone(),
            requested: self.requested.clone(),
            unmeasured: self.unmeasured.clone(),
            half_made: self.half_made.clone(),
            breaking_off: false,
            late: vec![],
            stale: vec![],
            last: None,
            met: None,
            fading: self.fading.clone(),
            script: Script::default(),
            calls: vec![],
            history: vec![],
        };
        fork.record("as before");
        fork
    }

    /// Lets everything that is under way come to its good end at once.
    pub(super) fn settle(&mut self) {
        self.machinery.settle(&self.world, &self.timing, self.now);
        self.note_quiet_groups();
        self.record("at rest");
    }

    /// Brings everything up to the present.
    pub(super) fn catch_up(&mut self) {
        let started = *self.started.get_or_insert_with(Instant::now);
        let present = self.origin + Instant::now().saturating_duration_since(started);
        while let Some(due) = self.next_due().filter(|due| *due <= present) {
            self.now = self.now.max(due);
            self.land_late();
            self.tick();
            self.follow("the passing of time");
        }
        self.now = self.now.max(present);
    }

    /// Makes one change, whole or not at all, and lets the machinery follow it.
    pub(super) fn change(
        &mut self,
        cause: &str,
        piece: &Piece,
        edit: Edit,
    ) -> Result<(), CloudError> {
        let before = self.world.clone();
        let result = edit(self);
        if self.world != before {
            self.note_lost_routes(&before);
            self.last = Some((Some(piece.clone()), before));
        }
        self.follow(cause);
        result
    }

    /// Lets somebody else touch a piece.
    pub(super) fn meddle(&mut self, meddle: Meddle, piece: &Piece) {
        let before = self.world.clone();
        meddle::touch(&mut self.world, meddle, piece);
        if self.world != before {
            self.met = Some(Met::new(piece.clone(), &before, &self.world));
        }
        self.note_burned();
        self.note_lost_routes(&before);
        self.follow("somebody else");
    }

    /// Changes the world by hand.
    pub(super) fn edit(&mut self, edit: impl FnOnce(&mut World)) {
        let before = self.world.clone();
        edit(&mut self.world);
        self.note_burned();
        self.note_lost_routes(&before);
        self.follow("an edit by hand");
    }

    /// Puts another world in the place of this one, as a call does that may touch anything.
    #[cfg(feature = "playground")]
    pub(super) fn replace(&mut self, world: World) {
        let before = self.world.clone();
        self.edit(|old| *old = world);
        self.last = Some((None, before));
    }

    /// Lets a change land later, whoever may be looking then.
    pub(super) fn land_at(&mut self, after: Duration, cause: String, piece: Piece, edit: Edit) {
        let at = self.now + after;
        self.late.push(Late { at, cause, piece, edit });
    }

    /// Shows the last change only after that time.
    pub(super) fn hide_last_change(&mut self, hidden: Duration) {
        if let Some((piece, before)) = self.last.clone() {
            self.stale.push(Stale { until: self.now + hidden, piece, before });
        }
    }

    /// Shows only after that time what has changed since the world was like that; nothing is
    /// hidden if nothing has.
    #[cfg(feature = "playground")]
    pub(super) fn hide_changes_since(&mut self, before: World, hidden: Duration) {
        if self.world == before {
            return;
        }
        // A lone change that says what it was about hides nothing else.
        let piece = self.last.as_ref().filter(|(_, last)| *last == before);
        let piece = piece.and_then(|(piece, _)| piece.clone());
        self.stale.push(Stale { until: self.now + hidden, piece, before });
    }

    /// Looks at the world as reads show it.
    pub(super) fn look<T>(&mut self, look: impl FnOnce(&Self) -> T) -> T {
        let now = self.now;
        self.stale.retain(|stale| now < stale.until);
        if self.stale.is_empty() {
            return look(self);
        }
        let mut shown = self.world.clone();
        // What was hidden last is the newest; what was hidden first is shown.
        for stale in self.stale.iter().rev() {
            match &stale.piece {
                Some(piece) => shown.revert(piece, &stale.before),
                None => shown.clone_from(&stale.before),
            }
        }
        std::mem::swap(&mut self.world, &mut shown);
        let seen = look(self);
        self.world = shown;
        seen
    }

    /// Lets the machinery follow what has changed, and records how things stand.
    pub(super) fn follow(&mut self, cause: &str) {
        self.machinery.reconcile(&self.world, &self.timing, self.now);
        self.note_quiet_groups();
        self.record(cause);
    }

    /// Keeps nothing of the history but the present.
    pub(super) fn forget_history(&mut self) {
        self.note_requests();
        self.history.clear();
        self.record("as before");
    }

    fn next_due(&self) -> Option<Duration> {
        let late = self.late.iter().map(|late| late.at);
        let dying = self.dying.values().map(|dying| dying.until);
        let fading = self.fading.iter().map(|fading| fading.until);
        let quiet = self.machinery.quiet_since.values();
        let quiet = quiet.map(|since| *since + self.timing.idle_scale_in);
        late.chain(dying).chain(fading).chain(quiet).chain(self.machinery.next_due()).min()
    }

    fn tick(&mut self) {
        let now = self.now;
        self.dying.retain(|_, dying| now < dying.until);
        self.fading.retain(|fading| now < fading.until);
        self.machinery.tick(now);
        self.shrink_quiet_groups();
    }

    fn land_late(&mut self) {
        while let Some(next) = self.late.iter().position(|late| late.at <= self.now) {
            let Late { cause, piece, edit, .. } = self.late.remove(next);
            // Nobody waits for the answer any more.
            let _unread = self.change(&format!("{cause}, late"), &piece, edit);
        }
    }

    fn note_lost_routes(&mut self, before: &World) {
        let references = self.world.references();
        for name in before.references().into_keys().filter(|name| !references.contains_key(name)) {
            self.released.insert(name, self.now);
        }
        for (route, actions) in before.routes() {
            let balancer = self.world.load_balancers.get(&route.listener.load_balancer);
            let lasts = match balancer.map(|balancer| balancer.kind) {
                Some(LoadBalancerKind::Network) => {
                    self.timing.propagation.max(self.timing.network_propagation)
                }
                _ => self.timing.propagation,
            };
            if lasts.is_zero() {
                continue;
            }
            let until = self.now + lasts;
            if let Some(forward) = actions.forward()
                && self.world.actions(&route).is_some_and(|now| now != actions)
            {
                self.fading.push(Fading { route, forward: forward.clone(), until });
            }
        }
    }

    fn note_burned(&mut self) {
        for (name, template) in &self.world.templates {
            let newest = template.versions.keys().next_back().copied().unwrap_or(0);
            let burned = self.burned.entry(name.clone()).or_default();
            *burned = (*burned).max(newest);
        }
    }

    fn record(&mut self, cause: &str) {
        let routes = traffic::reach(&self.world, &self.machinery, &self.fading, self.now);
        let checked = self.world.references().into_keys().collect();
        let groups = traffic::groups(&self.world);
        let (at, cause) = (self.now, cause.to_owned());
        let moment = Moment { at, cause, routes, checked, groups };
        if self.history.last().is_none_or(|last| !last.is_like(&moment)) {
            self.note_requests();
            self.history.push(moment);
        }
    }

    /// Takes note of whom requests reached up to now.
    fn note_requests(&mut self) {
        let Some(last) = self.history.last() else { return };
        let open = last.routes.values().filter(|reach| reach.open);
        let reached = open.flat_map(|reach| reach.healthy.keys().cloned());
        self.requested.extend(reached.map(|name| (name, self.now)));
    }

    /// Returns when requests reached a target group for the last time.
    pub(super) fn last_request(&self, name: &TargetGroupName) -> Option<Duration> {
        let open = self.history.last()?.routes.values().filter(|reach| reach.open);
        let is_reached = open.flat_map(|reach| reach.healthy.keys()).any(|one| one == name);
        if is_reached { Some(self.now) } else { self.requested.get(name).copied() }
    }
}
