use async_trait::async_trait;
use bluegreen_core::cloud::{CloudError, ReadAlarms, WriteAlarms};
use bluegreen_core::model::{Alarm, AlarmName};

use super::FakeCloud;
use super::piece::Piece;
use super::refusal::{joined, not_found, rejected};

#[async_trait]
impl ReadAlarms for FakeCloud {
    async fn alarms(&self, names: &[AlarmName]) -> Result<Vec<Alarm>, CloudError> {
        self.read("alarms", joined(names), |state| {
            let found = state.world.alarms.iter().filter(|(name, _)| names.contains(name));
            Ok(found.map(|(_, alarm)| alarm.clone()).collect())
        })
        .await
    }
}

#[async_trait]
impl WriteAlarms for FakeCloud {
    async fn put_alarm(&self, alarm: &Alarm) -> Result<(), CloudError> {
        const METHOD: &str = "put_alarm";
        let alarm = alarm.clone();
        self.write(METHOD, Piece::Alarm(alarm.name.clone()), move |state| {
            if let Some(why) = &alarm.uncarried {
                return Err(rejected(METHOD, &alarm.name, why));
            }
            let unknown = alarm.sets_off.iter().find(|key| state.world.policy(key).is_none());
            if let Some(unknown) = unknown {
                return Err(not_found(METHOD, unknown));
            }
            state.world.alarms.insert(alarm.name.clone(), alarm);
            Ok(())
        })
        .await
    }

    async fn delete_alarm(&self, alarm: &AlarmName) -> Result<(), CloudError> {
        let name = alarm.clone();
        self.write("delete_alarm", Piece::Alarm(name.clone()), move |state| {
            state.world.alarms.remove(&name);
            Ok(())
        })
        .await
    }
}
