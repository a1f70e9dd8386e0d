//! A thread's way to a Redis server.

use std::borrow::Cow;
use std::iter;
use std::sync::Arc;

use redis::Value;

use super::super::fault::Fault;
use super::dial::dial;
use super::pool::{Answers, Ended, Pool, Turn};
use super::socket::Socket;
#[cfg(feature = "tls")]
use super::tls::TlsStream;
use crate::deadline::Deadline;
use crate::error::Result;
use crate::handle::redis::{Address, Settings};
use crate::wire::redis::{
    Expected, Replies, Request, expected, fits, handshake, keeps_connection, read_handshake, unfit,
};

/// Pooled connections to one server.
pub(crate) struct Link {
    settings: Settings,
    pool: Pool<Question, Vec<Value>>,
}

/// A request as it leaves, and what its replies look like.
struct Question {
    packed: Vec<u8>,
    expected: Vec<Expected>,
}

impl Question {
    fn of(request: &Request) -> Question {
        Question {
            packed: request.commands.get_packed_pipeline(),
            expected: expected(&request.commands).collect(),
        }
    }
}

/// What is no longer asks for little, such as a value or what is left of its stay.
const SHORT: usize = 1024;

impl Link {
    pub(crate) fn new(settings: Settings) -> Link {
        Link { pool: Pool::new(settings.pool_size), settings }
    }

    /// Sends a request and receives all its replies, which may be refusals. One round trip, on a `fresh` connection if
    /// those there are may be dead; a short question may share it with those of others.
    pub(crate) fn exchange(
        &self,
        request: &Request,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        let question = Question::of(request);
        if !fresh && request.repeatable && !request.apart && question.packed.len() <= SHORT {
            return self.ask(question, deadline);
        }
        self.ask_alone(&question, request.repeatable, fresh, deadline)
    }

    fn ask(&self, question: Question, deadline: Deadline) -> Result<Vec<Value>, Fault> {
        let question = Arc::new(question);
        match self.pool.join(Arc::clone(&question), deadline)? {
            Turn::Ended(Ended::Answered(replies)) => Ok(replies),
            Turn::Ended(Ended::PutDown) => self.ask_alone(&question, true, false, deadline),
            Turn::Place(place) => place.ask(
                || self.dial(deadline),
                |socket, theirs| self.ask_all(socket, &question, theirs, deadline),
            ),
        }
    }

    fn ask_alone(
        &self,
        question: &Question,
        repeatable: bool,
        fresh: bool,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        let mut place = self.pool.checkout(deadline)?;
        let exchange = |socket: &mut Socket| {
            let ((replies, _), in_step) = self.ask_all(socket, question, &[], deadline)?;
            Ok((replies, in_step))
        };
        place.with(repeatable, fresh, || self.dial(deadline), exchange)
    }

    /// The replies to each, and whether the connection is in step after them.
    fn ask_all(
        &self,
        socket: &mut Socket,
        own: &Question,
        theirs: &[&Question],
        deadline: Deadline,
    ) -> Result<(Answers<Vec<Value>>, bool), Fault> {
        let all = || iter::once(own).chain(theirs.iter().copied());
        let expected = || all().flat_map(|question| question.expected.iter().copied());
        let packed = match theirs {
            [] => Cow::Borrowed(&own.packed[..]),
            _ => Cow::Owned(all().map(|question| &question.packed[..]).collect::<Vec<_>>().concat()),
        };
        let mut replies = self.converse(socket, &packed, expected().count(), deadline)?;
        if !fits(expected(), &replies) {
            return Err(Fault::sent(unfit()));
        }
        let in_step = keeps_connection(&replies);
        // There are as many as were expected, or they would not have been complete.
        let mut rest = replies.split_off(own.expected.len()).into_iter();
        let next = |question: &&Question| rest.by_ref().take(question.expected.len()).collect();
        let theirs = theirs.iter().map(next).collect();
        Ok(((replies, theirs), in_step))
    }

    fn dial(&self, deadline: Deadline) -> Result<Socket> {
        let mut socket = self.connect(deadline)?;
        let hello = handshake(&self.settings);
        let replies =
            self.converse(&mut socket, &hello.commands.get_packed_pipeline(), hello.commands.len(), deadline);
        read_handshake(replies.map_err(|fault| fault.error)?)?;
        Ok(socket)
    }

    fn connect(&self, deadline: Deadline) -> Result<Socket> {
        match &self.settings.address {
            address @ Address::Tcp { tls, .. } => {
                let at = address.to_string();
                let stream = dial(&at, deadline)?;
                match tls {
                    None => Ok(Socket::plain(stream)),
                    #[cfg(feature = "tls")]
                    Some(tls) => TlsStream::handshake(stream, tls, &at).map(Socket::encrypted),
                    #[cfg(not(feature = "tls"))]
                    Some(never) => match *never {},
                }
            }
            #[cfg(unix)]
            Address::Unix(path) => super::dial::dial_unix(path, deadline).map(Socket::plain),
            #[cfg(not(unix))]
            Address::Unix(_) => Err(super::super::fault::no_unix_sockets()),
        }
    }

    fn converse(
        &self,
        socket: &mut Socket,
        packed: &[u8],
        count: usize,
        deadline: Deadline,
    ) -> Result<Vec<Value>, Fault> {
        socket.send(packed, deadline)?;
        let replies = Replies::new(count, self.settings.max_reply_size);
        socket.receive(replies, deadline).map_err(Fault::sent)
    }
}
