//! placeholder

mod assets;
