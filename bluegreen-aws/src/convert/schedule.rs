//! Scheduled actions.

use aws_sdk_autoscaling::operation::put_scheduled_update_group_action::builders::PutScheduledUpdateGroupActionInputBuilder;
use aws_sdk_autoscaling::types as sdk;
use bluegreen_core::model::{ScalingGroupName, Schedule, ScheduleName};
use serde::{Deserialize, Serialize};

use super::{ConvertError, from_moment, moment, opaque};
use crate::query::filled;

/// When, and to what.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Details {
    start: Option<String>,
    end: Option<String>,
    recurrence: Option<String>,
    time_zone: Option<String>,
    min: Option<i32>,
    desired: Option<i32>,
    max: Option<i32>,
}

/// Reads a scheduled action.
pub(crate) fn read(action: &sdk::ScheduledUpdateGroupAction) -> Result<Schedule, ConvertError> {
    let name =
        action.scheduled_action_name().ok_or(ConvertError::Missing("ScheduledActionName"))?;
    let recurrence = filled(action.recurrence());
    // That of a recurring action is its next run: it moves by itself, and a past one is refused.
    let start = action.start_time().filter(|_| recurrence.is_none());
    let details = Details {
        start: start.map(moment).transpose()?,
        end: action.end_time().map(moment).transpose()?,
        recurrence: recurrence.map(str::to_owned),
        time_zone: action.time_zone().map(str::to_owned),
        min: action.min_size(),
        desired: action.desired_capacity(),
        max: action.max_size(),
    };
    Ok(Schedule { name: ScheduleName::new(name), details: opaque::pack(&details)? })
}

/// Writes a scheduled action.
pub(crate) fn write(
    group: &ScalingGroupName,
    schedule: &Schedule,
) -> Result<PutScheduledUpdateGroupActionInputBuilder, ConvertError> {
    let details: Details = opaque::unpack(&schedule.details)?;
    let time = |text: Option<String>| text.as_deref().map(from_moment).transpose();
    Ok(PutScheduledUpdateGroupActionInputBuilder::default()
        .auto_scaling_group_name(group.as_str())
        .scheduled_action_name(schedule.name.as_str())
        .set_start_time(time(details.start)?)
        .set_end_time(time(details.end)?)
        .set_recurrence(details.recurrence)
        .set_time_zone(details.time_zone)
        .set_min_size(details.min)
        .set_desired_capacity(details.desired)
        .set_max_size(details.max))
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::DateTime;

    use super::*;

    #[test]
    fn the_start_of_a_recurring_action_is_not_carried() {
        let builder = sdk::ScheduledUpdateGroupAction::builder()
            .scheduled_action_name("night")
            .start_time(DateTime::from_secs(1_800_000_000))
            .min_size(1);
        let group = ScalingGroupName::new("web");
        let recurring = read(&builder.clone().recurrence("0 22 * * *").build()).unwrap();
        let written = write(&group, &recurring).unwrap().build().unwrap();
        assert_eq!((written.start_time(), written.recurrence()), (None, Some("0 22 * * *")));

        let once = read(&builder.build()).unwrap();
        let written = write(&group, &once).unwrap().build().unwrap();
        assert_eq!(written.start_time(), Some(&DateTime::from_secs(1_800_000_000)));
        assert_eq!(written.min_size(), Some(1));
    }
}
