//! Compact bytes in a frame.

use ::postcard::ser_flavors::Flavor;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::compression::Zip;
use super::fault::Fault;
use super::frame::{self, Label};
use super::guard;
use super::integer;
use super::shape::Shape;

/// What a frame calls this format.
const CONTENT: u8 = 1;

/// Most values fit without growing.
const USUAL: usize = 256;

pub(super) fn encode<T, O>(value: &T, zip: &Zip) -> Result<Vec<u8>, Fault>
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
    let frame = ::postcard::serialize_with_flavor(value, Tail(frame::begin(USUAL)))
        .map_err(|error| Fault::from(error.to_string()))?;
    let payload = frame::payload(&frame);
    match zip.zip(CONTENT, shape.fingerprint, payload)? {
        Some(zipped) => Ok(zipped),
        None => {
            let length = payload.len();
            frame::seal(frame, Label { content: CONTENT, zlib: false, length, shape: shape.fingerprint })
        }
    }
}

pub(super) fn decode<T>(bytes: &[u8], zip: &Zip) -> Result<T, Fault>
where
    T: DeserializeOwned + 'static,
{
    let shape = Shape::of::<T>();
    match frame::open(bytes, CONTENT, shape.fingerprint, zip)? {
        Some(payload) => guard::read(&payload).map_err(|error| Fault::from(error.to_string())),
        None if shape.integer => integer::decode(bytes),
        None => Err("it is not a frame".into()),
    }
}

/// Appends to what a vector holds already.
struct Tail(Vec<u8>);

impl Flavor for Tail {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> ::postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    fn try_extend(&mut self, bytes: &[u8]) -> ::postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> ::postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}
