//! The demo in a terminal: draws the model twenty times a second, and listens to the keys.
//!
//! # Contract
//! The terminal is as it was before when [`show`] returns, however it returns; a panic on any thread restores it before
//! its message is printed.

use std::io::{self, Write};
use std::time::Duration;

use millrace_session::Interrupt;
use millrace_world::{Thread, World};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use super::driver::{Stage, State};
use super::model::Model;
use super::plain::summary;
use super::view::{Pane, Picture, draw};

/// Between two pictures.
const PICTURE_EVERY: Duration = Duration::from_millis(50);

/// The terminal, while it is ours.
struct Screen(DefaultTerminal);

impl Screen {
    fn open() -> io::Result<Self> {
        // installs a panic hook that restores the terminal, too
        ratatui::try_init().map(Screen)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // a terminal that has gone away needs nothing
        drop(ratatui::try_restore());
    }
}

/// What the keys have brought about.
#[derive(Debug, Default)]
struct Controls {
    quit: bool,
    focus: Option<Pane>,
    /// The model as it was when the picture was held, and the time.
    held: Option<(Model, Option<u64>)>,
}

/// Shows the demo until the driver has ended or the user has seen enough; then says on stdout what it was.
///
/// # Errors
/// If the terminal does not do what it should.
pub(super) fn show(
    state: &State,
    world: &World,
    driver: &Thread,
    seconds: Option<u64>,
    interrupt: &Interrupt,
) -> io::Result<()> {
    let colour = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let shown = {
        let mut screen = Screen::open()?;
        let mut controls = Controls::default();
        let mut watch = || -> io::Result<()> {
            while !driver.is_finished() && !interrupt.is_set() && !controls.quit {
                picture(&mut screen.0, &controls, state, world, seconds, colour)?;
                if event::poll(PICTURE_EVERY)?
                    && let Event::Key(key) = event::read()?
                {
                    controls.press(key, || now(state, world));
                }
            }
            Ok(())
        };
        watch()
    };
    let (model, elapsed_ms) = now(state, world);
    shown?;
    match elapsed_ms {
        Some(ms) => io::stdout().write_all(summary(&model, ms).as_bytes()),
        None => Ok(()),
    }
}

/// The model as it is, and how long events have flowed.
fn now(state: &State, world: &World) -> (Model, Option<u64>) {
    let shown = state.lock();
    let elapsed_ms = match &shown.stage {
        Stage::Starting => None,
        Stage::Flowing { start_ns } => Some((world.clock().monotonic_ns() - start_ns) / 1_000_000),
        Stage::Over(ending) => ending.failure.is_none().then_some(ending.ran_ms),
    };
    (shown.model.clone(), elapsed_ms)
}

fn picture(
    terminal: &mut DefaultTerminal,
    controls: &Controls,
    state: &State,
    world: &World,
    seconds: Option<u64>,
    colour: bool,
) -> io::Result<()> {
    let (mut model, elapsed_ms) = now(state, world);
    // whoever reads lines wants them, nobody else
    state.lock().model.take_happenings();
    let notice = state.lock().notice.clone();
    let mut elapsed_ms = elapsed_ms;
    if let Some((held, at)) = &controls.held {
        (model, elapsed_ms) = (held.clone(), *at);
    }
    let picture = Picture {
        model: &model,
        elapsed_ms,
        seconds,
        held: controls.held.is_some(),
        focus: controls.focus,
        notice: notice.as_deref(),
        colour,
    };
    terminal.draw(|frame| draw(&picture, frame)).map(drop)
}

impl Controls {
    fn press(&mut self, key: KeyEvent, now: impl FnOnce() -> (Model, Option<u64>)) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let ctrl = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c' | 'd') if ctrl => self.quit = true,
            KeyCode::Char('q' | 'Q') => self.quit = true,
            KeyCode::Char(' ') => {
                self.held = match self.held.take() {
                    None => Some(now()),
                    Some(_) => None,
                }
            }
            KeyCode::Tab | KeyCode::Right => self.focus = Pane::next(self.focus),
            KeyCode::BackTab | KeyCode::Left => self.focus = Pane::previous(self.focus),
            KeyCode::Esc => self.focus = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_do_what_the_last_line_says() {
        let mut controls = Controls::default();
        let mut press = |code, modifiers| {
            controls.press(KeyEvent::new(code, modifiers), || (Model::new(5.0), Some(7)));
            (controls.focus, controls.held.as_ref().and_then(|held| held.1), controls.quit)
        };
        let none = KeyModifiers::NONE;
        assert_eq!(press(KeyCode::Tab, none), (Some(Pane::Arrives), None, false));
        assert_eq!(press(KeyCode::Tab, none), (Some(Pane::Fraud), None, false));
        assert_eq!(press(KeyCode::BackTab, KeyModifiers::SHIFT), (Some(Pane::Arrives), None, false));
        assert_eq!(press(KeyCode::Char(' '), none), (Some(Pane::Arrives), Some(7), false));
        assert_eq!(press(KeyCode::Esc, none), (None, Some(7), false));
        assert_eq!(press(KeyCode::Char(' '), none), (None, None, false));
        assert_eq!(press(KeyCode::Char('c'), none), (None, None, false));
        assert_eq!(press(KeyCode::Char('c'), KeyModifiers::CONTROL), (None, None, true));
    }
}
