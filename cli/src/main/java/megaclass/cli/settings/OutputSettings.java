// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static megaclass.cli.settings.Question.OUTPUT;
import static megaclass.cli.settings.Question.WHAT_IF_IT_STOPS;

import java.util.List;

/** Flags that say where things go and how they look; a configuration file has none of them. */
public final class OutputSettings {
  public static final Setting<String> RUN_DIR =
      Setting.text("", "--run-dir")
          .in(OUTPUT, "FOLDER")
          .about("folder of the run; default runs/NAME, by the name of the configuration or data");

  public static final Setting<LogStyle> LOG =
      Setting.of("", "--log", Setting.Form.TEXT, LogStyle::parse)
          .in(OUTPUT, "HOW")
          .by("text")
          .allowed("text, json")
          .about("lines for people, or one JSON object a line");

  public static final Setting<Boolean> QUIET =
      Setting.onOff("", "--quiet").in(OUTPUT, "").about("say nothing but errors");

  public static final Setting<Boolean> DRY_RUN =
      Setting.onOff("", "--dry-run").in(OUTPUT, "").about("say what would be done, as plan does");

  public static final Setting<Boolean> FORCE =
      Setting.onOff("", "--force").in(OUTPUT, "").about("replace a run that is there already");

  public static final Setting<Boolean> RESUME =
      Setting.onOff("", "--resume")
          .in(WHAT_IF_IT_STOPS, "")
          .about("continue a run that was stopped, from its last checkpoint");

  /** Those of train. */
  public static final List<Setting<?>> OF_TRAIN =
      List.of(RESUME, RUN_DIR, FORCE, DRY_RUN, LOG, QUIET);

  private OutputSettings() {}
}
