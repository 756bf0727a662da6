//! Plans and what is settled of them, against a model of both systems in memory.

mod convergence;
mod echo;
mod edits;
mod emptied;
mod engagement;
mod given_up;
mod gone;
mod model;
mod people;
mod rules;
mod unread;

use model::World;
