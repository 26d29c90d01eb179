//! Scaling groups.

use std::collections::BTreeMap;

use async_trait::async_trait;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::cloud::{CloudError, CloudErrorKind, ReadScalingGroups, WriteScalingGroups};
use bluegreen_core::model::{
    Capacity, Fitting, FittingKey, LaunchSource, Opaque, Process, ScalingGroup, ScalingGroupName,
    ScalingGroupSettings,
};
use futures_util::future::try_join;

use crate::AwsCloud;
use crate::convert::{group, number};
use crate::error::{Failure, or_absent, partly, read_error, refused, write_error};
use crate::locate::if_there;
use crate::page::Pages;
use crate::query::{Capture, Form, Tree};
use crate::retry;

/// The most groups that one call describes without a further page.
///
/// <https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DescribeAutoScalingGroups.html>
const GROUPS_PER_CALL: usize = 50;

#[async_trait]
impl ReadScalingGroups for AwsCloud {
    async fn scaling_groups(
        &self,
        names: &[ScalingGroupName],
    ) -> Result<Vec<ScalingGroup>, CloudError> {
        let found = self.describe_groups(names).await?;
        // Their health can then be asked for at once, without looking up their names first.
        for arn in found.iter().flat_map(|one| one.group.target_group_arns()) {
            self.names().learn_target_group(arn);
        }
        let read = |one: &group::Described| {
            let name = one.group.auto_scaling_group_name().unwrap_or_default();
            group::read(one).map_err(|error| refused("DescribeAutoScalingGroups", name, error))
        };
        found.iter().map(read).collect()
    }

    async fn scaling_group_settings(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Option<ScalingGroupSettings>, CloudError> {
        let found = self.describe_groups(std::slice::from_ref(name)).await?;
        let Some(found) = found.into_iter().next() else { return Ok(None) };
        let all = try_join(
            self.describe_hooks(name),
            try_join(self.describe_policies(name), self.describe_schedules(name)),
        );
        // Gone since it was described.
        let Some((hooks, (policies, schedules))) = if_there(all.await)? else { return Ok(None) };
        let (hooks, hook_trees) = hooks;
        let related = group::Related {
            hooks,
            hook_trees,
            policies: policies.into_iter().map(|(_, tree)| tree).collect(),
            schedules: schedules.into_iter().map(|(_, tree)| tree).collect(),
        };
        let settings = group::read_settings(&found, &related);
        settings.map(Some).map_err(|error| refused("DescribeAutoScalingGroups", name, error))
    }

    async fn fittings(
        &self,
        name: &ScalingGroupName,
    ) -> Result<BTreeMap<Fitting, Opaque>, CloudError> {
        let both = try_join(
            self.describe_groups(std::slice::from_ref(name)),
            self.describe_notifications(name),
        );
        let Some((found, notifications)) = if_there(both.await)? else {
            return Ok(BTreeMap::new());
        };
        let Some(found) = found.into_iter().next() else { return Ok(BTreeMap::new()) };
        let pool = found.group.warm_pool_configuration();
        if pool.is_some_and(|pool| pool.status() == Some(&sdk::WarmPoolStatus::PendingDelete)) {
            let error = CloudError::new(CloudErrorKind::Busy, "DescribeAutoScalingGroups", name);
            return Err(error.with_source("its warm pool is still being deleted"));
        }
        Ok(group::read_fittings(&found, &notifications))
    }

    async fn instance_refresh(
        &self,
        name: &ScalingGroupName,
    ) -> Result<Option<String>, CloudError> {
        const OPERATION: &str = "DescribeInstanceRefreshes";
        // One at most is under way, and the newest come first: the first page is enough.
        let request = self.scaling().await.describe_instance_refreshes();
        let request = request.auto_scaling_group_name(name.as_str());
        let answer = if self.foreign_endpoint() {
            request.customize().config_override(retry::never()).send().await
        } else {
            request.send().await
        };
        let refreshes = match answer {
            Ok(answer) => answer.instance_refreshes.unwrap_or_default(),
            Err(error) if self.is_not_offered(OPERATION, &error) => Vec::new(),
            Err(error) => {
                let answer = if_there(Err::<(), _>(read_error(OPERATION, name, error)));
                return answer.map(|_| None);
            }
        };
        let mut states = refreshes.into_iter().filter_map(|one| one.status);
        Ok(states.find(|state| !is_over(state)).map(|state| state.as_str().to_owned()))
    }
}

/// A state that is new to this version is taken to be under way.
fn is_over(state: &sdk::InstanceRefreshStatus) -> bool {
    use sdk::InstanceRefreshStatus as State;
    matches!(
        state,
        State::Successful
            | State::Failed
            | State::Cancelled
            | State::RollbackSuccessful
            | State::RollbackFailed
    )
}

#[async_trait]
impl WriteScalingGroups for AwsCloud {
    async fn create_scaling_group(
        &self,
        name: &ScalingGroupName,
        settings: &ScalingGroupSettings,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "CreateAutoScalingGroup";
        if !settings.uncarried.is_empty() {
            let why = format!("it cannot carry: {}", settings.uncarried.join(", "));
            return Err(refused(OPERATION, name, why));
        }
        let arns = self.target_group_arns(&settings.target_groups).await?;
        let request = group::write(name, settings, &arns);
        let request = request.map_err(|error| refused(OPERATION, name, error))?;
        // AWS refuses as well; an emulator may replace the group without a word.
        match self.scaling_groups(std::slice::from_ref(name)).await?.first() {
            Some(found) if found.deleting => {
                let error = CloudError::new(CloudErrorKind::Busy, OPERATION, name);
                return Err(error.with_source("one of this name is being deleted"));
            }
            Some(_) => return Err(refused(OPERATION, name, "it exists")),
            None => {}
        }
        // A repeat would be answered with `AlreadyExists`, as if nothing had been done.
        let answer = self.scaling_forms().send_once(request).await;
        answer.map_err(|error| write_error(OPERATION, name, error))
    }

    async fn delete_scaling_group(&self, name: &ScalingGroupName) -> Result<(), CloudError> {
        const OPERATION: &str = "DeleteAutoScalingGroup";
        let request = self.scaling().await.delete_auto_scaling_group();
        let request = request.auto_scaling_group_name(name.as_str()).force_delete(false);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if is_pending_delete(&error) => Ok(()),
            Err(error) => or_absent(Err(write_error(OPERATION, name, error))),
        }
    }

    async fn set_capacity(
        &self,
        name: &ScalingGroupName,
        capacity: Capacity,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "UpdateAutoScalingGroup";
        let size =
            |what, value| number(what, value).map_err(|error| refused(OPERATION, name, error));
        let (min, max) = (size("min", capacity.min)?, size("max", capacity.max)?);
        let desired = size("desired", capacity.desired)?;
        let request = self.scaling().await.update_auto_scaling_group();
        let request = request.auto_scaling_group_name(name.as_str());
        let answer = request.min_size(min).max_size(max).desired_capacity(desired).send().await;
        answer.map(drop).map_err(|error| write_error(OPERATION, name, error))
    }

    async fn set_launch(
        &self,
        name: &ScalingGroupName,
        launch: &LaunchSource,
    ) -> Result<(), CloudError> {
        const OPERATION: &str = "UpdateAutoScalingGroup";
        let form = Form::new(OPERATION).with("AutoScalingGroupName", name.as_str());
        let form = group::write_launch(form, launch);
        let form = form.map_err(|error| refused(OPERATION, name, error))?;
        let answer = self.scaling_forms().send(form).await;
        answer.map_err(|error| write_error(OPERATION, name, error))
    }

    async fn put_fitting(&self, key: &FittingKey, value: &Opaque) -> Result<(), CloudError> {
        self.fit(key, value).await
    }

    async fn remove_fitting(&self, key: &FittingKey) -> Result<(), CloudError> {
        or_absent(self.unfit(key).await)
    }

    async fn set_suspended(
        &self,
        name: &ScalingGroupName,
        processes: &BTreeMap<Process, bool>,
    ) -> Result<(), CloudError> {
        let named = |suspended: bool| {
            let chosen = processes.iter().filter(move |(_, one)| **one == suspended);
            chosen.map(|(process, _)| process.to_string()).collect::<Vec<_>>()
        };
        // Without names AWS would suspend, or resume, all there are.
        let (suspend, resume) = (named(true), named(false));
        let both = !suspend.is_empty() && !resume.is_empty();
        if !suspend.is_empty() {
            let request = self.scaling().await.suspend_processes();
            let request = request.auto_scaling_group_name(name.as_str());
            let answer = request.set_scaling_processes(Some(suspend)).send().await;
            answer.map_err(|error| write_error("SuspendProcesses", name, error))?;
        }
        if !resume.is_empty() {
            let request = self.scaling().await.resume_processes();
            let request = request.auto_scaling_group_name(name.as_str());
            let answer = request.set_scaling_processes(Some(resume)).send().await;
            let answer = answer.map_err(|error| write_error("ResumeProcesses", name, error));
            answer.map_err(|error| if both { partly(error) } else { error })?;
        }
        Ok(())
    }
}

fn is_pending_delete(error: &impl Failure) -> bool {
    error.text().is_some_and(|text| text.contains("pending delete"))
}

impl AwsCloud {
    /// Describes those of `names` that exist.
    pub(crate) async fn describe_groups(
        &self,
        names: &[ScalingGroupName],
    ) -> Result<Vec<group::Described>, CloudError> {
        const OPERATION: &str = "DescribeAutoScalingGroups";
        let mut found = Vec::new();
        for chunk in names.chunks(GROUPS_PER_CALL) {
            let wanted: Vec<_> = chunk.iter().map(ToString::to_string).collect();
            let (mut guard, mut token) = (Pages::new(), None);
            loop {
                let capture = Capture::default();
                let request = self.scaling().await.describe_auto_scaling_groups();
                let request = request.set_auto_scaling_group_names(Some(wanted.clone()));
                let request = request.set_next_token(token).customize();
                let page = request.interceptor(capture.clone()).send().await;
                let page = page.map_err(|error| read_error(OPERATION, &chunk[0], error))?;
                let trees =
                    capture.tree().items("DescribeAutoScalingGroupsResult", "AutoScalingGroups");
                let groups = page.auto_scaling_groups.unwrap_or_default();
                found.extend(paired(groups, trees, |(group, tree)| group::Described {
                    group,
                    tree,
                }));
                let Some(next) = page.next_token.filter(|next| !next.is_empty()) else { break };
                guard.turn(&next).map_err(|error| refused(OPERATION, &chunk[0], error))?;
                token = Some(next);
            }
        }
        Ok(found)
    }

    async fn describe_hooks(
        &self,
        name: &ScalingGroupName,
    ) -> Result<(Vec<sdk::LifecycleHook>, Vec<Tree>), CloudError> {
        // There are no pages: a group has at most 50.
        let capture = Capture::default();
        let request = self.scaling().await.describe_lifecycle_hooks();
        let request = request.auto_scaling_group_name(name.as_str()).customize();
        let answer = request.interceptor(capture.clone()).send().await;
        let answer = answer.map_err(|error| read_error("DescribeLifecycleHooks", name, error))?;
        let trees = capture.tree().items("DescribeLifecycleHooksResult", "LifecycleHooks");
        Ok((answer.lifecycle_hooks.unwrap_or_default(), trees))
    }
}

/// Puts together what the SDK read and what AWS wrote; where that cannot be read, nothing is known
/// beside what the SDK knows.
pub(crate) fn paired<T, O>(
    items: Vec<T>,
    trees: Vec<Tree>,
    make: impl Fn((T, Tree)) -> O,
) -> Vec<O> {
    let trees = trees.into_iter().chain(std::iter::repeat_with(Tree::default));
    items.into_iter().zip(trees).map(make).collect()
}
