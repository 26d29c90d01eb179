use bluegreen_core::model::Opaque;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::ConvertError;

/// Packs settings for the journey through the core; what is unset is left out.
pub(super) fn pack<T: Serialize>(settings: &T) -> Result<Opaque, ConvertError> {
    let mut value = serde_json::to_value(settings).map_err(ConvertError::Opaque)?;
    drop_nulls(&mut value);
    Ok(Opaque::new(value))
}

/// Unpacks settings; whatever this version does not know is an error.
pub(super) fn unpack<T: DeserializeOwned>(opaque: &Opaque) -> Result<T, ConvertError> {
    T::deserialize(opaque.value()).map_err(ConvertError::Opaque)
}

fn drop_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_nulls);
        }
        Value::Array(members) => members.iter_mut().for_each(drop_nulls),
        _ => {}
    }
}
