//! `sigmill top`: a running engine, live.

mod model;
mod view;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::DefaultTerminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use sigmill::monitor::Client;

use super::{Failure, Status};
use model::Model;
use view::View;

const EXAMPLES: &str = "\
Examples:
  sigmill load --rate 5000 --monitor /tmp/sigmill.sock &
  sigmill top /tmp/sigmill.sock
  sigmill top /tmp/sigmill.sock --once
  sigmill top /tmp/sigmill.sock --json | head -3";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Unix socket of the engine, as its --monitor names it
    #[arg(value_name = "SOCKET")]
    socket: PathBuf,
    /// Seconds between two looks
    #[arg(long, default_value_t = 1.0, value_parser = interval)]
    interval: f64,
    /// Print one picture after one interval, and end
    #[arg(long)]
    once: bool,
    /// Print one JSON object a line and interval, until Ctrl-C
    #[arg(long, conflicts_with = "once")]
    json: bool,
}

fn interval(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.1..=60.0).contains(seconds));
    seconds.ok_or_else(|| "not a number of seconds from 0.1 to 60".to_owned())
}

pub(super) fn run(arguments: &Arguments) -> Result<Status, Failure> {
    let Arguments { socket, interval, once, json } = arguments;
    let mut client = connect(socket)?;
    let pause = Duration::from_secs_f64(*interval);
    let failed = |error| Failure::new(Status::Error, format!("{}: {error}", socket.display()));
    if *json {
        loop {
            let status = client.status().map_err(failed)?;
            say!("{}", serde_json::to_string(&status).expect("plain data"));
            std::thread::sleep(pause);
        }
    }
    let source = socket.display().to_string();
    let view = View { source, interval: *interval, ..View::default() };
    if *once || !std::io::stdout().is_terminal() {
        let mut model = Model::default();
        model.take(client.status().map_err(failed)?);
        std::thread::sleep(pause);
        model.take(client.status().map_err(failed)?);
        say!("{}", picture(&model, &view, view::LEAST));
        return Ok(Status::Well);
    }
    let mut terminal = ratatui::init();
    let shown = watch(&mut terminal, socket, client, view);
    ratatui::restore();
    shown.map_err(|error| Failure::new(Status::Error, error.to_string()))?;
    Ok(Status::Well)
}

fn connect(socket: &Path) -> Result<Client, Failure> {
    Client::connect(socket).map_err(|error| {
        let why = format!(
            "{}: {error}; start the engine with --monitor {}",
            socket.display(),
            socket.display()
        );
        Failure::new(Status::Error, why)
    })
}

/// Shows the engine until the user has seen enough; one that goes away is waited for.
fn watch(
    terminal: &mut DefaultTerminal,
    socket: &Path,
    client: Client,
    mut view: View,
) -> std::io::Result<()> {
    let (mut model, mut client) = (Model::default(), Some(client));
    let mut next = Instant::now();
    loop {
        if Instant::now() >= next {
            next = Instant::now() + Duration::from_secs_f64(view.interval);
            client = client.or_else(|| Client::connect(socket).ok());
            match client.as_mut().map(Client::status) {
                Some(Ok(status)) if view.paused => drop(status),
                Some(Ok(status)) => {
                    view.trouble = None;
                    model.take(status);
                }
                Some(Err(error)) => {
                    view.trouble = Some(format!("lost: {error}"));
                    client = None;
                }
                None => view.trouble = Some("the engine is gone; waiting for it".to_owned()),
            }
        }
        terminal.draw(|frame| view::draw(frame, &model, &view))?;
        if event::poll(next.saturating_duration_since(Instant::now()))?
            && let Event::Key(key) = event::read()?
            && key.kind == KeyEventKind::Press
            && !take_key(&mut view, key)
        {
            return Ok(());
        }
    }
}

/// Does what a key says; false: quit.
fn take_key(view: &mut View, key: KeyEvent) -> bool {
    let KeyEvent { code, modifiers, .. } = key;
    if std::mem::take(&mut view.help) {
        return true;
    }
    match code {
        KeyCode::Char('c') if modifiers.contains(KeyModifiers::CONTROL) => return false,
        KeyCode::Char('q') | KeyCode::Esc => return false,
        KeyCode::Char('p' | ' ') => view.paused = !view.paused,
        KeyCode::Char('+' | '=') => view.interval = (view.interval * 2.0).min(60.0),
        KeyCode::Char('-') => view.interval = (view.interval / 2.0).max(0.1),
        KeyCode::Up | KeyCode::Char('k') => view.scroll = view.scroll.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => view.scroll = (view.scroll + 1).min(64),
        KeyCode::Char('?' | 'h') => view.help = true,
        _ => {}
    }
    true
}

/// The picture as text.
fn picture(model: &Model, view: &View, (width, height): (u16, u16)) -> String {
    let backend = TestBackend::new(width, height);
    let mut terminal = ratatui::Terminal::new(backend).expect("memory");
    terminal.draw(|frame| view::draw(frame, model, view)).expect("memory");
    let buffer = terminal.backend().buffer();
    let rows = buffer.content().chunks(width.into());
    let rows = rows.map(|row| row.iter().map(|cell| cell.symbol()).collect::<String>());
    rows.map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
