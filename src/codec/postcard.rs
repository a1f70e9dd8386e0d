//! Compact bytes in a frame.

use std::time::Duration;

use ::postcard::Error;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::budget::Budget;
use super::compression::Zip;
use super::fault::Fault;
use super::frame::{self, Label};
use super::shape::Shape;
use super::{guard, integer, writer};

/// What a frame calls this format.
const CONTENT: u8 = 1;

/// Most values fit without growing.
const USUAL: usize = 256;

pub(super) fn encode<T, O>(value: &T, took: Option<Duration>, zip: &Zip) -> Result<Vec<u8>, Fault>
where
    T: Serialize + ?Sized,
    O: DeserializeOwned + 'static,
{
    let shape = Shape::of::<O>();
    if shape.integer {
        return integer::encode(value);
    }
    if shape.self_describing {
        return Err(
            "its type reads only formats that describe themselves (an untagged or internally tagged \
                    enum, `flatten`, a dynamic value); use JSON"
                .into(),
        );
    }
    let frame = writer::write(value, frame::begin(USUAL)).map_err(unwritable)?;
    let payload = frame::payload(&frame);
    if let Some(zipped) = zip.zip(CONTENT, shape.fingerprint, took, payload)? {
        return Ok(zipped);
    }
    let length = payload.len();
    frame::seal(frame, Label { content: CONTENT, zlib: false, length, shape: shape.fingerprint, took })
}

pub(super) fn decode<T>(bytes: &[u8], zip: &Zip) -> Result<T, Fault>
where
    T: DeserializeOwned + 'static,
{
    let shape = Shape::of::<T>();
    match frame::open(bytes, CONTENT, shape.fingerprint, zip)? {
        Some(payload) => {
            let budget = Budget::new(bytes.len(), zip.limit());
            // postcard's errors are words without content.
            guard::read(&payload, &budget)
                .map_err(|error| budget.fault().unwrap_or_else(|| error.to_string().into()))
        }
        None if shape.integer => integer::decode(bytes),
        None => Err("it is not a frame".into()),
    }
}

fn unwritable(error: Error) -> Fault {
    match error {
        Error::SerializeSeqLengthUnknown => "something in it leaves out a field or does not announce its \
                                             length (`skip_serializing_if`, `flatten`); use JSON"
            .into(),
        Error::SerdeSerCustom => "its Serialize failed".into(),
        error => error.to_string().into(),
    }
}
