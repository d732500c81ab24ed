use ratatui::style::Modifier;

use super::*;

fn every() -> Vec<Theme> {
    let themes = Themes::built_in();
    let load = |name| {
        let (theme, warnings) = themes.load(name, Depth::True);
        assert_eq!(warnings, Vec::<String>::new(), "{name}");
        theme
    };
    themes.names().map(load).collect()
}

fn rgb(color: Color) -> (u8, u8, u8) {
    match color {
        Color::Rgb(red, green, blue) => (red, green, blue),
        other => panic!("{other:?} has no fixed value"),
    }
}

/// Relative luminance and contrast as in WCAG 2.2.
fn contrast(one: Color, other: Color) -> f64 {
    let luminance = |color| {
        let (red, green, blue) = rgb(color);
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    };
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn there_are_25_roles_and_every_built_in_theme_sets_them_all() {
    assert_eq!(Role::ALL.len(), 25);
    for (name, text) in BUILT_IN {
        for role in Role::ALL {
            assert!(
                text.contains(&format!("\"{}\" =", role.name())),
                "{name}: {}",
                role.name()
            );
        }
    }
    assert_eq!(every().len(), 5);
}

#[test]
fn a_theme_with_its_own_background_has_enough_contrast() {
    let mut checked = 0;
    for theme in every() {
        let Some(background) = theme.background() else {
            continue;
        };
        let is_high = theme.name() == "high-contrast";
        for role in Role::ALL {
            let style = theme.style(role);
            let (mut front, mut back) = (
                style.fg.unwrap_or_else(|| panic!("{}", role.name())),
                style.bg.unwrap_or(background),
            );
            if style.add_modifier.contains(Modifier::REVERSED) {
                std::mem::swap(&mut front, &mut back);
            }
            let is_quiet = matches!(
                role,
                Role::Dim | Role::Border | Role::Rest | Role::Ghost | Role::Off
            );
            let least = match (is_high, is_quiet) {
                (true, _) => 7.0,
                (false, true) => 3.0,
                (false, false) => 4.5,
            };
            let found = contrast(front, back);
            assert!(
                found >= least,
                "{} {}: {found:.2}",
                theme.name(),
                role.name()
            );
            assert!(
                !style.add_modifier.contains(Modifier::DIM),
                "{} dims",
                theme.name()
            );
            checked += 1;
        }
    }
    assert_eq!(checked, 75);
}

#[test]
fn terminal_and_mono_follow_the_rules_for_unknown_backgrounds() {
    for theme in every().iter().filter(|theme| theme.background().is_none()) {
        for role in Role::ALL {
            let style = theme.style(role);
            let name = format!("{} {}", theme.name(), role.name());
            assert!(
                style.bg.is_none_or(|color| color == Color::Reset),
                "{name} has a background"
            );
            match style.fg {
                Some(Color::Black | Color::White | Color::Gray | Color::Blue) => {
                    panic!("{name} vanishes on some background")
                }
                Some(Color::Yellow) => {
                    assert!(style.add_modifier.contains(Modifier::BOLD), "{name}");
                }
                Some(Color::Rgb(..) | Color::Indexed(_)) => panic!("{name} leaves the 16"),
                Some(color) if theme.name() == "mono" => assert_eq!(color, Color::Reset),
                _ => {}
            }
        }
        assert!(
            theme
                .style(Role::Cursor)
                .add_modifier
                .contains(Modifier::REVERSED)
        );
    }
}

#[test]
fn the_flag_beats_the_configuration_which_beats_no_color() {
    assert_eq!(
        choose(Some("paper"), Some("mono"), Some("1")),
        ("paper", Chosen::Flag)
    );
    assert_eq!(
        choose(None, Some("paper"), Some("1")),
        ("paper", Chosen::Config)
    );
    assert_eq!(choose(None, None, Some("1")), ("mono", Chosen::NoColor));
    assert_eq!(choose(None, None, Some("")), ("terminal", Chosen::Default));
    assert_eq!(
        choose(None, Some("terminal"), Some("1")),
        ("mono", Chosen::NoColor)
    );
}

#[test]
fn auto_goes_by_the_announced_background() {
    let announced = [
        None,
        Some("15;0"),
        Some("0;15"),
        Some("0;default;7"),
        Some("x"),
    ];
    let chosen = announced.map(automatic);
    assert_eq!(
        chosen,
        ["terminal", "midnight", "paper", "paper", "terminal"]
    );
}

#[test]
fn a_theme_inherits_and_warns_and_never_fails() {
    let mut themes = Themes::built_in();
    themes.add(
        "harbour",
        "name = \"harbour\"\ninherits = \"midnight\"\n[palette]\nrust = \"#ef5350\"\n\
         [roles]\n\"status.bad\" = { fg = \"rust\", bold = true }\n\"status.gud\" = { fg = \"rust\" }\n\
         \"key\" = { fg = \"rusty\", blod = true, italic = 1 }\n",
    );
    let (theme, warnings) = themes.load("harbour", Depth::True);
    assert_eq!(theme.name(), "harbour");
    assert_eq!(
        theme.style(Role::Bad).fg,
        Some(Color::Rgb(0xef, 0x53, 0x50))
    );
    let parent = themes.load("midnight", Depth::True).0;
    assert_eq!(theme.style(Role::Good), parent.style(Role::Good));
    for expected in [
        "harbour: no role is named \"status.gud\", did you mean \"status.good\"?",
        "harbour: key: no colour is named \"rusty\", did you mean \"rust\"?",
        "harbour: key: no attribute is named \"blod\", did you mean \"bold\"?",
        "harbour: key: italic must be true or false",
    ] {
        assert!(
            warnings.iter().any(|warning| warning == expected),
            "{expected}\n{warnings:#?}"
        );
    }
    let (fallback, warnings) = themes.load("papr", Depth::True);
    assert_eq!(fallback.name(), "terminal");
    assert_eq!(
        warnings,
        ["no theme is named \"papr\", did you mean \"paper\"?"]
    );
    themes.add("broken", "name = ");
    assert_eq!(
        themes.load("broken", Depth::True).0.styles,
        Theme::default().styles
    );
    themes.add(
        "ring",
        "inherits = \"ring\"\n[roles]\n\"key\" = { fg = \"red\" }\n",
    );
    let (ring, warnings) = themes.load("ring", Depth::True);
    assert_eq!(ring.style(Role::Key).fg, Some(Color::Red));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
}

#[test]
fn a_role_without_a_style_looks_like_text() {
    let mut themes = Themes::built_in();
    themes.add(
        "bare",
        "inherits = \"\"\n[roles]\n\"text\" = { fg = \"#102030\" }\n",
    );
    let (bare, _) = themes.load("bare", Depth::True);
    assert_eq!(bare.style(Role::Crit), bare.style(Role::Text));
}
