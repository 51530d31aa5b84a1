// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import megaclass.cli.Console;
import megaclass.cli.settings.LogStyle;
import megaclass.cli.text.Json;

/** Where the messages of a run go: lines for people, JSON lines for programs, or nowhere. */
public final class RunLog {
  /** Goes to the start of the line and clears it. */
  private static final String CLEAR_LINE = "\r\033[K";

  private final Console console;
  private final LogStyle style;
  private boolean barShown;

  /** A log on a console. */
  public RunLog(Console console, LogStyle style) {
    this.console = console;
    this.style = style;
  }

  /** Says something. */
  public synchronized void say(Message message) {
    clearBar();
    if (style == LogStyle.JSON) {
      console.print(Json.line(message.json()));
    } else if (style == LogStyle.TEXT && !message.text().isEmpty()) {
      console.print(message.text());
    }
  }

  /** Shows how far the run is, in a line that the next message takes away. */
  public synchronized void bar(double share, String text) {
    if (style != LogStyle.TEXT || !console.terminal()) {
      return;
    }
    int width = 24;
    int full = (int) Math.round(share * width);
    console.out().print(CLEAR_LINE + "█".repeat(full) + "░".repeat(width - full) + "  " + text);
    console.out().flush();
    barShown = true;
  }

  private void clearBar() {
    if (barShown) {
      console.out().print(CLEAR_LINE);
      barShown = false;
    }
  }
}
