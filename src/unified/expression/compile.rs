//! From text to a tree that counts its own steps, or to what is wrong with the text.

use std::collections::BTreeSet;
use std::sync::{Arc, LazyLock};

use cel::IdedExpr;
use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, operators};
use moka::sync::Cache;

use super::functions::{self, ALLOWED, METER};
use super::on_own_stack;

/// The longest text of an expression, in bytes.
const LONGEST: usize = 2 * 1024;
/// How deep brackets and prefixes may nest in the text.
const BRACKETS: usize = 24;
/// How deep the tree may be: long chains of operators count as well.
const DEPTH: usize = 200;
/// How many comprehensions (`all`, `map`, …) may stand in each other.
const LOOPS: usize = 3;
/// How many compiled expressions are kept; a workspace has a handful.
const KEPT: u64 = 1_000;

/// What is wrong with an expression, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// In words for people.
    pub message: String,
    /// Line and column, from 1, where they are known.
    pub position: Option<(usize, usize)>,
}

impl Fault {
    fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), position: None }
    }
}

static COMPILED: LazyLock<Cache<String, Result<Arc<IdedExpr>, Fault>>> =
    LazyLock::new(|| Cache::new(KEPT));

/// The tree of an expression, kept from one evaluation to the next.
pub(super) fn compile(source: &str) -> Result<Arc<IdedExpr>, Fault> {
    if source.len() > LONGEST {
        return Err(too_long());
    }
    if let Some(known) = COMPILED.get(source) {
        return known;
    }
    let compiled = parse(source).and_then(|(expr, found)| match found.first() {
        Some(fault) => Err(fault.clone()),
        None => Ok(Arc::new(expr)),
    });
    COMPILED.insert(source.to_owned(), compiled.clone());
    compiled
}

/// Everything that is wrong with an expression; `names`: what it may name beside `fields`, `tags`
/// and `status`.
pub fn check(source: &str, names: &BTreeSet<String>) -> Vec<Fault> {
    if source.len() > LONGEST {
        return vec![too_long()];
    }
    let (expr, mut faults) = match parse(source) {
        Ok(parsed) => parsed,
        Err(fault) => return vec![fault],
    };
    let unknown = on_own_stack(move || {
        let mut unknown = BTreeSet::new();
        unbound(&expr, names, &mut Vec::new(), &mut unknown);
        unknown
    });
    faults.extend(unknown.into_iter().flatten().map(|name| {
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let message =
            format!("there is no `{name}`; there are fields, tags, status, {}", known.join(", "));
        Fault { position: position(source, &name), message }
    }));
    faults
}

fn too_long() -> Fault {
    Fault::new(format!("it is longer than {LONGEST} bytes"))
}

/// Where a word stands in the text.
fn position(source: &str, word: &str) -> Option<(usize, usize)> {
    let before = source.get(..source.find(word)?)?;
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Some((line, column))
}

/// The tree with its meters, and what of it is not allowed.
fn parse(source: &str) -> Result<(IdedExpr, Vec<Fault>), Fault> {
    if nesting(source) > BRACKETS {
        return Err(Fault::new(format!("brackets stand in each other more than {BRACKETS} deep")));
    }
    let parsed = on_own_stack(|| {
        let mut expr = functions::env().parser().parse(source).map_err(|errors| {
            let first = errors.errors.first();
            let position = first.and_then(|error| {
                let line = usize::try_from(error.pos.0).ok().filter(|line| *line > 0)?;
                Some((line, usize::try_from(error.pos.1).ok()? + 1))
            });
            Fault { message: "it cannot be read there".to_owned(), position }
        })?;
        let mut walk = Walk { source, faults: Vec::new() };
        walk.visit(&mut expr, 0, 0);
        if walk.faults.iter().any(|fault| fault.message.starts_with(TOO_DEEP)) {
            // Let go of here, where there is room to.
            drop(expr);
            return Err(Fault::new(format!("{TOO_DEEP}: use shorter chains of operators")));
        }
        Ok((expr, walk.faults))
    });
    parsed.unwrap_or_else(|| Err(Fault::new("it cannot be read")))
}

const TOO_DEEP: &str = "it is nested too deep";

/// How deep brackets and prefixes stand in each other, texts left out.
fn nesting(source: &str) -> usize {
    let (mut depth, mut prefixes, mut deepest) = (0usize, 0usize, 0usize);
    let mut chars = source.chars();
    while let Some(c) = chars.next() {
        match c {
            '(' | '[' | '{' => {
                depth += 1;
                prefixes = 0;
            }
            ')' | ']' | '}' => depth = depth.saturating_sub(1),
            '!' | '-' | '?' => prefixes += 1,
            '"' | '\'' => {
                while let Some(inner) = chars.next() {
                    match inner {
                        '\\' => drop(chars.next()),
                        end if end == c => break,
                        _ => {}
                    }
                }
                prefixes = 0;
            }
            c if c.is_whitespace() => {}
            _ => {
                if c != '=' {
                    prefixes = prefixes.saturating_sub(usize::from(c.is_alphanumeric()));
                }
            }
        }
        deepest = deepest.max(depth + prefixes);
    }
    deepest
}

/// Looks at every part of a tree and puts the meters in.
struct Walk<'s> {
    source: &'s str,
    faults: Vec<Fault>,
}

impl Walk<'_> {
    fn visit(&mut self, expr: &mut IdedExpr, depth: usize, loops: usize) {
        if depth > DEPTH {
            self.fault(Fault::new(TOO_DEEP));
            return;
        }
        let below = depth + 1;
        match &mut expr.expr {
            Expr::Call(call) => {
                self.allowed(&call.func_name);
                let parts = call.target.as_deref_mut().into_iter().chain(&mut call.args);
                parts.for_each(|part| self.visit(part, below, loops));
                if call.func_name == operators::ADD {
                    metered(expr);
                }
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension, below, loops),
            Expr::List(list) => {
                list.elements.iter_mut().for_each(|part| self.visit(part, below, loops));
            }
            Expr::Map(map) => {
                for entry in &mut map.entries {
                    if let EntryExpr::MapEntry(entry) = &mut entry.expr {
                        self.visit(&mut entry.key, below, loops);
                        self.visit(&mut entry.value, below, loops);
                    }
                }
            }
            Expr::Select(select) => self.visit(&mut select.operand, below, loops),
            Expr::Struct(_) => self.fault(Fault::new("it may not make objects of a type")),
            Expr::Unspecified => self.fault(Fault::new("it cannot be read")),
            Expr::Ident(_) | Expr::Literal(_) => {}
        }
    }

    fn comprehension(&mut self, it: &mut ComprehensionExpr, depth: usize, loops: usize) {
        if loops >= LOOPS {
            self.fault(Fault::new(format!("loops stand in each other more than {LOOPS} deep")));
        }
        self.visit(&mut it.iter_range, depth, loops);
        self.visit(&mut it.accu_init, depth, loops);
        if let Some(item) = appended(&mut it.loop_step, &it.accu_var) {
            // The interpreter knows this shape and appends in place, which a meter around it hides.
            let (guard, elements) = item;
            if let Some(guard) = guard {
                self.visit(guard, depth, loops + 1);
                metered(guard);
            }
            for element in elements {
                self.visit(element, depth, loops + 1);
                metered(element);
            }
        } else {
            self.visit(&mut it.loop_cond, depth, loops + 1);
            self.visit(&mut it.loop_step, depth, loops + 1);
            metered(&mut it.loop_cond);
        }
        self.visit(&mut it.result, depth, loops);
    }

    fn allowed(&mut self, name: &str) {
        if !ALLOWED.contains(&name) {
            let shown = name.trim_matches('@');
            let position = position(self.source, shown);
            self.fault(Fault { message: format!("there is no function `{shown}`"), position });
        }
    }

    fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) {
            self.faults.push(fault);
        }
    }
}

/// Puts a meter around a part of a tree.
fn metered(expr: &mut IdedExpr) {
    let inner = std::mem::take(expr);
    expr.id = inner.id;
    expr.expr =
        Expr::Call(CallExpr { func_name: METER.to_owned(), target: None, args: vec![inner] });
}

type Appended<'e> = (Option<&'e mut IdedExpr>, &'e mut Vec<IdedExpr>);

/// The condition and the items of a step that only appends to the result (`map`, `filter`).
fn appended<'e>(step: &'e mut IdedExpr, accu: &str) -> Option<Appended<'e>> {
    let Expr::Call(call) = &mut step.expr else { return None };
    if call.func_name != operators::CONDITIONAL {
        return Some((None, items(call, accu)?));
    }
    let [guard, then, otherwise] = call.args.as_mut_slice() else { return None };
    let Expr::Call(call) = &mut then.expr else { return None };
    let plain = matches!(&otherwise.expr, Expr::Ident(name) if name == accu);
    plain.then_some(())?;
    Some((Some(guard), items(call, accu)?))
}

fn items<'e>(call: &'e mut CallExpr, accu: &str) -> Option<&'e mut Vec<IdedExpr>> {
    let is_add = call.func_name == operators::ADD && call.target.is_none();
    let [own, list] = call.args.as_mut_slice() else { return None };
    let appends = is_add && matches!(&own.expr, Expr::Ident(name) if name == accu);
    if let Expr::List(list) = &mut list.expr
        && appends
    {
        return Some(&mut list.elements);
    }
    None
}

/// The names that an expression uses and nothing binds.
fn unbound(
    expr: &IdedExpr,
    names: &BTreeSet<String>,
    bound: &mut Vec<String>,
    found: &mut BTreeSet<String>,
) {
    match &expr.expr {
        Expr::Ident(name) => {
            let known = ["fields", "tags", "status"].contains(&name.as_str())
                || bound.contains(name)
                || names.iter().any(|known| {
                    known == name || known.split_once('.').is_some_and(|(group, _)| group == name)
                });
            if !known {
                found.insert(name.clone());
            }
        }
        Expr::Select(select) => {
            if let Expr::Ident(group) = &select.operand.expr
                && !bound.contains(group)
                && names
                    .iter()
                    .any(|known| known.split_once('.').is_some_and(|(prefix, _)| prefix == group))
                && !names.contains(&format!("{group}.{}", select.field))
            {
                found.insert(format!("{group}.{}", select.field));
            }
            unbound(&select.operand, names, bound, found);
        }
        Expr::Call(call) => {
            for part in call.target.as_deref().into_iter().chain(&call.args) {
                unbound(part, names, bound, found);
            }
        }
        Expr::List(list) => {
            list.elements.iter().for_each(|part| unbound(part, names, bound, found));
        }
        Expr::Map(map) => {
            for entry in &map.entries {
                if let EntryExpr::MapEntry(entry) = &entry.expr {
                    unbound(&entry.key, names, bound, found);
                    unbound(&entry.value, names, bound, found);
                }
            }
        }
        Expr::Comprehension(it) => {
            unbound(&it.iter_range, names, bound, found);
            unbound(&it.accu_init, names, bound, found);
            let before = bound.len();
            bound.extend([it.iter_var.clone(), it.accu_var.clone()]);
            bound.extend(it.iter_var2.clone());
            for part in [&it.loop_cond, &it.loop_step, &it.result] {
                unbound(part, names, bound, found);
            }
            bound.truncate(before);
        }
        Expr::Struct(_) | Expr::Literal(_) | Expr::Unspecified => {}
    }
}
