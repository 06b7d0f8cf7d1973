// SPDX-License-Identifier: GPL-2.0-only
#include "cli/terminal.h"

#define NCURSES_NOMACROS 1  // else std::move, and more, would be macros
#include <curses.h>
#include <langinfo.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <cstring>
#include <cwchar>
#include <string>

namespace punctual {
namespace {

constexpr int kEscapeWaitMs = 25;  // after Escape: is it the beginning of an arrow key?
constexpr size_t kCellCharsMax = 1 + Canvas::kMarksMax;

constexpr short pair_of(Ink ink)
{
	return static_cast<short>(static_cast<int>(ink) + 1);
}

void start_colors()
{
	if (!has_colors() || start_color() == ERR)
		return;
	use_default_colors();
	init_pair(pair_of(Ink::good), COLOR_GREEN, -1);
	init_pair(pair_of(Ink::bad), COLOR_RED, -1);
	init_pair(pair_of(Ink::accent), COLOR_CYAN, -1);
	init_pair(pair_of(Ink::plain), -1, -1);
	init_pair(pair_of(Ink::faint), -1, -1);
}

attr_t attributes_of(Look look)
{
	return (look.bold ? A_BOLD : 0) | (look.reverse ? A_REVERSE : 0) | (look.ink == Ink::faint ? A_DIM : 0);
}

// As this locale shows it: '?' for what it does not know, or believes to be of another width than we do. Else the
// columns would not stand straight, and a terminal that is not in UTF-8 could take a part of a character for a control.
std::wstring wide_text(const std::string& text, int columns)
{
	wchar_t wide[kCellCharsMax + 1] = {};
	const size_t length = std::mbstowcs(wide, text.c_str(), kCellCharsMax);
	if (length == static_cast<size_t>(-1) || length == 0 || ::wcwidth(wide[0]) != columns)
		return std::wstring(static_cast<size_t>(columns), L'?');
	for (size_t mark = 1; mark < length; mark++)
		if (::wcwidth(wide[mark]) != 0)
			return {wide, 1};
	return {wide, length};
}

void paint_cell(int x, int y, const Cell& cell, int columns)
{
	const std::wstring text = wide_text(cell.text, columns);
	const attr_t attributes = attributes_of(cell.look);
	const short pair = has_colors() ? pair_of(cell.look.ink) : static_cast<short>(0);
	cchar_t character;
	if (text == L"??") {  // a wide one that cannot be shown
		setcchar(&character, L"?", attributes, pair, nullptr);
		mvadd_wch(y, x, &character);
		mvadd_wch(y, x + 1, &character);
		return;
	}
	setcchar(&character, text.c_str(), attributes, pair, nullptr);
	mvadd_wch(y, x, &character);
}

struct NamedKey {
	wint_t code;
	Key::Name name;
};

constexpr NamedKey kFunctionKeys[] = {
    {KEY_UP, Key::Name::up},
    {KEY_DOWN, Key::Name::down},
    {KEY_LEFT, Key::Name::left},
    {KEY_RIGHT, Key::Name::right},
    {KEY_PPAGE, Key::Name::page_up},
    {KEY_NPAGE, Key::Name::page_down},
    {KEY_HOME, Key::Name::home},
    {KEY_END, Key::Name::end},
    {KEY_BTAB, Key::Name::back_tab},
    {KEY_ENTER, Key::Name::enter},
    {KEY_BACKSPACE, Key::Name::backspace},
};
constexpr NamedKey kControlKeys[] = {
    {'\t', Key::Name::tab},  {'\r', Key::Name::enter},    {'\n', Key::Name::enter},
    {27, Key::Name::escape}, {127, Key::Name::backspace}, {8, Key::Name::backspace},
};

template <size_t N>
std::optional<Key> named(wint_t code, const NamedKey (&keys)[N])
{
	const auto* found = std::ranges::find(keys, code, &NamedKey::code);
	return found == std::end(keys) ? std::nullopt : std::optional(Key{found->name, 0});
}

}  // namespace

struct Terminal::Screen {
	SCREEN* screen;

	explicit Screen(SCREEN* of) : screen(of) {}
	Screen(const Screen&) = delete;
	Screen& operator=(const Screen&) = delete;
	~Screen()
	{
		endwin();
		delscreen(screen);
	}
};

Status require_terminal()
{
	if (::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0)
		return fail(ExitCode::usage,
			    "top needs a terminal for its input and output; `punctual runq` prints the same as text");
	return {};
}

Result<Terminal> Terminal::open()
{
	if (Status is_terminal = require_terminal(); !is_terminal)
		return std::unexpected(is_terminal.error());
	std::setlocale(LC_CTYPE, "");
	SCREEN* screen = newterm(nullptr, stdout, stdin);
	if (screen == nullptr) {
		const char* name = std::getenv("TERM");
		return fail(
		    ExitCode::lacking,
		    "the terminal '{}' cannot show a full screen: set TERM to what it is (package ncurses-term knows "
		    "more of them), or use `punctual runq`",
		    name == nullptr ? "" : name);
	}
	set_term(screen);
	auto owned = std::make_unique<Screen>(screen);
	start_colors();
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, true);
	nodelay(stdscr, true);
	set_escdelay(kEscapeWaitMs);
	return Terminal(std::move(owned));
}

Terminal::Terminal(std::unique_ptr<Screen> screen) : screen_(std::move(screen)) {}
Terminal::Terminal(Terminal&&) noexcept = default;
Terminal::~Terminal() = default;

int Terminal::width() const
{
	return getmaxx(stdscr);
}

int Terminal::height() const
{
	return getmaxy(stdscr);
}

void Terminal::paint(const Canvas& canvas) const
{
	werase(stdscr);
	for (int y = 0; y < std::min(canvas.height(), height()); y++)
		for (int x = 0; x < std::min(canvas.width(), width()); x++) {
			const bool is_wide = x + 1 < canvas.width() && canvas.at(x + 1, y).text.empty();
			if (!canvas.at(x, y).text.empty())
				paint_cell(x, y, canvas.at(x, y), is_wide ? 2 : 1);
		}
	wrefresh(stdscr);
}

std::optional<Key> Terminal::read_key()
{
	wint_t code = 0;
	const int kind = wget_wch(stdscr, &code);
	if (kind == KEY_CODE_YES)
		return code == KEY_F(1) ? std::optional(Key{Key::Name::character, '?'}) : named(code, kFunctionKeys);
	if (kind != OK)
		return std::nullopt;
	if (std::optional<Key> control = named(code, kControlKeys))
		return control;
	return Key{Key::Name::character, static_cast<char32_t>(code)};
}

bool Terminal::is_gone() const
{
	pollfd input = {STDIN_FILENO, POLLIN, 0};
	return ::poll(&input, 1, 0) == 1 && (input.revents & (POLLHUP | POLLERR | POLLNVAL)) != 0;
}

}  // namespace punctual
