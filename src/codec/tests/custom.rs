use super::*;
use crate::codec::{Codec, Source, Target};
use crate::error::BoxError;

/// JSON by way of the trait.
#[cfg(feature = "json")]
pub(super) struct Plain;

#[cfg(feature = "json")]
impl Codec for Plain {
    fn name(&self) -> &str {
        "plain"
    }

    fn encode(&self, value: Source<'_>, out: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(serde_json::to_writer(out, &value)?)
    }

    fn decode(&self, bytes: &[u8], target: Target<'_>) -> Result<(), BoxError> {
        let mut json = serde_json::Deserializer::from_slice(bytes);
        target.fill(&mut json)?;
        Ok(json.end()?)
    }
}

/// Writes what begins like a frame, and reads it back.
struct Odd;

impl Codec for Odd {
    fn name(&self) -> &str {
        "odd"
    }

    fn encode(&self, _: Source<'_>, out: &mut Vec<u8>) -> Result<(), BoxError> {
        out.extend([0xC1, 0x6C, 1]);
        Ok(())
    }

    fn decode(&self, bytes: &[u8], target: Target<'_>) -> Result<(), BoxError> {
        assert_eq!(bytes, [0xC1, 0x6C, 1]);
        Ok(target.fill(serde::de::value::BoolDeserializer::<serde::de::value::Error>::new(true))?)
    }
}

#[test]
fn bytes_that_look_like_a_frame_are_no_trap() {
    let codec = ValueCodec::new(Format::custom(Odd));
    let bytes = codec.encode::<bool, bool>(&true).unwrap();
    assert!(codec.decode::<bool>(&bytes).unwrap());
    refused::<bool>(&codec, &bytes[..3]);
}

/// Keeps silent.
struct Lazy;

impl Codec for Lazy {
    fn name(&self) -> &str {
        "lazy"
    }

    fn encode(&self, _: Source<'_>, _: &mut Vec<u8>) -> Result<(), BoxError> {
        Ok(())
    }

    fn decode(&self, _: &[u8], _: Target<'_>) -> Result<(), BoxError> {
        Ok(())
    }
}

#[test]
fn a_codec_that_gives_no_value_is_an_error() {
    refused::<String>(&ValueCodec::new(Format::custom(Lazy)), b"x");
}

/// Says what it should not.
struct Chatty;

impl Codec for Chatty {
    fn name(&self) -> &str {
        "chatty"
    }

    fn encode(&self, _: Source<'_>, _: &mut Vec<u8>) -> Result<(), BoxError> {
        Err(CANARY.into())
    }

    fn decode(&self, _: &[u8], _: Target<'_>) -> Result<(), BoxError> {
        Err(CANARY.into())
    }
}

#[test]
fn a_codecs_own_errors_are_not_repeated() {
    let codec = ValueCodec::new(Format::custom(Chatty));
    keeps_secrets(&refused::<String>(&codec, b"x"));
    keeps_secrets(&codec.encode::<str, String>("x").unwrap_err());
}
