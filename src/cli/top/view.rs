//! The picture: a function of the model and the size of the terminal.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, Sparkline, Table};
use sigmill::monitor::{Route, Status, Summary};

use super::model::Model;
use crate::cli::units::{count, time};

/// Smallest terminal in which all is shown.
pub(super) const LEAST: (u16, u16) = (80, 24);

/// What the user chose.
#[derive(Clone, Debug, Default)]
pub(super) struct View {
    pub paused: bool,
    pub help: bool,
    /// First row of the lower tables.
    pub scroll: u16,
    /// Whom it watches, and how often.
    pub source: String,
    pub interval: f64,
    /// Why the last look failed.
    pub trouble: Option<String>,
}

pub(super) fn draw(frame: &mut Frame<'_>, model: &Model, view: &View) {
    let area = frame.area();
    if view.help {
        return frame.render_widget(Paragraph::new(HELP).style(Style::new()), area);
    }
    let Some(status) = &model.status else {
        let text = view.trouble.clone().unwrap_or_else(|| "waiting for the engine".to_owned());
        return frame.render_widget(Paragraph::new(text), area);
    };
    let devices = status.devices.len().min(4) as u16;
    let [title, rates, history, device, latency, phase, route, keys] = Layout::vertical([
        Constraint::Length(1),
        Constraint::Length(3),
        Constraint::Length(if area.height >= 30 { 4 } else { 2 }),
        Constraint::Length(1 + devices),
        Constraint::Length(1 + status.latency.len().clamp(1, 4) as u16),
        Constraint::Length(5),
        Constraint::Min(1),
        Constraint::Length(1),
    ])
    .areas(area);
    self::title(frame, title, status, view);
    self::rates(frame, rates, model, status);
    self::history(frame, history, model);
    self::devices(frame, device, model, status);
    self::latency(frame, latency, status, view);
    phases(frame, phase, status);
    routes(frame, route, status, view);
    let state = if view.paused { "paused" } else { "" };
    let keys_line = format!(" q quit  p pause  +/- interval  up/down scroll  ? help  {state}");
    frame.render_widget(Paragraph::new(keys_line).reversed(), keys);
}

const HELP: &str = "\
 sigmill top: a running engine, looked at every interval

   q, Esc, Ctrl-C   quit
   p, space         pause and go on
   + / -            look less often, or more often
   up / down, k / j scroll latencies and routes
   ?                this page

 rates      items a second of the last interval
 busy       share of the interval in which the device worked
 depth      pieces that a device holds; backlog: their predicted time
 p50 ..     of the batches answered in the last interval, admission to answer
 routes     where a batch of so many items would go now;
            * on its caller's own thread

 any key goes back";

fn title(frame: &mut Frame<'_>, area: Rect, status: &Status, view: &View) {
    let up = duration(status.uptime_ns);
    let left =
        format!(" sigmill {}  up {up}  pid {}  {}", status.version, status.process, view.source);
    let ill = status.devices.iter().filter(|device| device.health != "healthy").count();
    let wrong: u64 = status.devices.iter().map(|device| device.mismatches).sum();
    let (text, color) = match (&view.trouble, wrong, ill) {
        (Some(trouble), ..) => (trouble.clone(), Color::Red),
        (None, 1.., _) => (format!("{wrong} WRONG ANSWERS"), Color::Red),
        (None, 0, 1..) => (format!("{ill} not healthy"), Color::Yellow),
        _ => ("all healthy".to_owned(), Color::Green),
    };
    let room = usize::from(area.width).saturating_sub(text.chars().count() + 2);
    let left: String = left.chars().take(room).collect();
    let line = Line::from(vec![
        Span::from(format!("{left:room$}")).bold(),
        Span::from(format!(" {text} ")).fg(color).add_modifier(Modifier::BOLD),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

fn rates(frame: &mut Frame<'_>, area: Rect, model: &Model, status: &Status) {
    let rates = &model.rates;
    let lines = vec![
        Line::from(format!(
            " items/s submitted {:>8} valid {:>8} invalid {:>7} computed {:>8}",
            count(rates.submitted),
            count(rates.valid),
            count(rates.invalid),
            count(rates.computed)
        )),
        Line::from(format!(
            "         errors    {:>8}   refused batches/s {:>6}   batch p50 {:>6} max {:>6}",
            count(rates.errors),
            count(rates.refused),
            count(status.batches.items.p50 as f64),
            count(status.batches.items.max as f64)
        )),
        Line::from(format!(
            " in flight {:>8} items {:>5} batches {:>6} MiB  waiting {:>8}: {:>7}",
            count(status.in_flight as f64),
            status.in_flight_batches,
            status.in_flight_bytes >> 20,
            count(status.waiting_items as f64),
            time(status.waiting_ns as f64)
        )),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn history(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let most = model.history.iter().max().copied().unwrap_or(0);
    let [label, bars] =
        Layout::horizontal([Constraint::Length(20), Constraint::Min(1)]).areas(area);
    let text = format!(" answered/s\n at most {:>10}", count(most as f64));
    frame.render_widget(Paragraph::new(text), label);
    let last = usize::from(bars.width).min(model.history.len());
    let data: Vec<u64> = model.history.iter().skip(model.history.len() - last).copied().collect();
    frame.render_widget(Sparkline::default().data(&data).fg(Color::Cyan), bars);
}

fn header<'a>(cells: impl IntoIterator<Item = &'a str>) -> Row<'a> {
    Row::new(cells.into_iter().map(str::to_owned))
        .style(Style::new().add_modifier(Modifier::UNDERLINED))
}

fn devices(frame: &mut Frame<'_>, area: Rect, model: &Model, status: &Status) {
    let rows = status.devices.iter().zip(&model.devices).map(|(device, rates)| {
        let color = match (device.health.as_str(), device.mismatches) {
            ("healthy", 0) => Color::Green,
            ("probation" | "opening", 0) => Color::Yellow,
            _ => Color::Red,
        };
        let faults: u64 = device.faults.iter().map(|fault| fault.count).sum();
        Row::new(vec![
            Span::from(format!(" {}", device.name)),
            Span::from(device.health.clone()).fg(color),
            Span::from(right(count(rates.items), 8)),
            Span::from(right(count(rates.inline), 8)),
            Span::from(right(format!("{:.0} %", 100.0 * rates.busy), 5)),
            Span::from(right(device.depth.to_string(), 5)),
            Span::from(right(time(device.backlog_ns as f64), 8)),
            Span::from(right(faults.to_string(), 6)),
            Span::from(right(device.mismatches.to_string(), 5)),
        ])
    });
    let widths = [13, 11, 8, 8, 5, 5, 8, 6, 5].map(Constraint::Length);
    let names = [
        " device", "health", " items/s", "inline/s", " busy", "depth", " backlog", "faults",
        "wrong",
    ];
    frame.render_widget(Table::new(rows, widths).header(header(names)), area);
}

fn right(text: String, width: usize) -> String {
    format!("{text:>width$}")
}

fn times(summary: &Summary) -> [String; 5] {
    let Summary { p50, p90, p99, p999, max, .. } = *summary;
    [p50, p90, p99, p999, max].map(|ns| right(time(ns as f64), 8))
}

fn latency(frame: &mut Frame<'_>, area: Rect, status: &Status, view: &View) {
    let rows = status.latency.iter().skip(view.scroll.into()).map(|latency| {
        let seconds = status.interval_ns as f64 / 1e9;
        let rate = latency.times.count as f64 / seconds.max(1e-9);
        let own = [format!(" {}", latency.algorithm), latency.class.clone(), right(count(rate), 8)];
        Row::new(own.into_iter().chain(times(&latency.times)).collect::<Vec<_>>())
    });
    let widths = [22, 10, 8, 8, 8, 8, 8, 8].map(Constraint::Length);
    let names = [
        " answered in",
        "class",
        " batch/s",
        "     p50",
        "     p90",
        "     p99",
        "   p99.9",
        "     max",
    ];
    frame.render_widget(Table::new(rows, widths).header(header(names)).column_spacing(0), area);
}

fn phases(frame: &mut Frame<'_>, area: Rect, status: &Status) {
    let rows = status.phases.iter().map(|phase| {
        let own = [format!(" {}", phase.name), right(count(phase.times.count as f64), 18)];
        Row::new(own.into_iter().chain(times(&phase.times)).collect::<Vec<_>>())
    });
    let widths = [22, 18, 8, 8, 8, 8, 8].map(Constraint::Length);
    let names =
        [" step", "             times", "     p50", "     p90", "     p99", "   p99.9", "     max"];
    frame.render_widget(Table::new(rows, widths).header(header(names)).column_spacing(0), area);
}

fn routes(frame: &mut Frame<'_>, area: Rect, status: &Status, view: &View) {
    let mut algorithms: Vec<&str> = Vec::new();
    for route in &status.routes {
        if algorithms.last() != Some(&route.algorithm.as_str()) {
            algorithms.push(&route.algorithm);
        }
    }
    let of = |algorithm: &str| {
        let routes = status.routes.iter().filter(|route| route.algorithm == algorithm);
        let shown = routes.map(|Route { items, device, inline, .. }| {
            let device = device.as_deref().unwrap_or("none");
            format!("{}: {device}{}", count(*items as f64), if *inline { "*" } else { "" })
        });
        shown.collect::<Vec<_>>().join("  ")
    };
    let lines = algorithms
        .iter()
        .skip(view.scroll.into())
        .map(|algorithm| Line::from(format!(" {algorithm:38} {}", of(algorithm))));
    let title =
        Line::from(" routes of batches of so many items (* on the caller's thread)").underlined();
    let lines: Vec<_> = std::iter::once(title).chain(lines).collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn duration(ns: u64) -> String {
    let seconds = ns / 1_000_000_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3_600..86_400 => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

#[cfg(test)]
mod tests;
