// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.settings;

import static megaclass.cli.settings.Question.HOW_GOOD;
import static megaclass.cli.settings.Question.OUTPUT;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import megaclass.cli.UsageException;
import megaclass.internal.Check;

/** Flags of evaluation on classes that a model need not know. */
public final class ProtocolSettings {
  /** What {@link #PAIRS} says by default. */
  public static final String ALL_PAIRS = "all";

  public static final Setting<Set<Protocol>> PROTOCOL =
      Setting.of("", "--protocol", Setting.Form.TEXT, Protocol::parse)
          .writtenWith(Protocol::format)
          .in(HOW_GOOD, "LIST")
          .by(Protocol.CLOSED_SET)
          .allowed("closed-set, or some of " + Protocol.names())
          .about(
              "closed-set: which of its classes the model takes; the others measure embeddings, on"
                  + " classes that the model need not know");

  public static final Setting<String> PAIRS =
      Setting.text("", "--pairs")
          .in(HOW_GOOD, "PAIRS")
          .by(ALL_PAIRS)
          .allowed("all, a number, or a file: NAME<TAB>NAME<TAB>0|1 a line, or LFW's pairs.txt")
          .about(
              "verification: all pairs, so many drawn ones, half of them of one class, or these");

  public static final Setting<String> PROBES =
      Setting.text("", "--probes")
          .in(HOW_GOOD, "FILE")
          .about("identification: names of the examples to find, one a line; without, all");

  public static final Setting<String> GALLERY =
      Setting.text("", "--gallery")
          .in(HOW_GOOD, "FILE")
          .about("identification: names of their mates and of distractors, one a line");

  public static final Setting<Integer> DISTRACTORS =
      Setting.integer("", "--distractors")
          .in(HOW_GOOD, "NUMBER")
          .by("0")
          .allowed("at least 0; 0: all")
          .about("identification: at most so many; 10, 100, 1000, ... up to there are tried")
          .checked(distractors -> Check.atLeast("distractors", distractors, 0));

  public static final Setting<Integer> WAYS =
      Setting.integer("", "--ways")
          .in(HOW_GOOD, "NUMBER")
          .by("20")
          .allowed("at least 2")
          .about("few-shot: classes of an episode")
          .checked(ways -> Check.inRange("ways", ways, 2, 1 << 20));

  public static final Setting<Integer> SHOTS =
      Setting.integer("", "--shots")
          .in(HOW_GOOD, "NUMBER")
          .by("1")
          .allowed("at least 1")
          .about("few-shot: examples that are known of each class")
          .checked(shots -> Check.inRange("shots", shots, 1, 1 << 20));

  public static final Setting<Integer> EPISODES =
      Setting.integer("", "--episodes")
          .in(HOW_GOOD, "NUMBER")
          .by("1000")
          .allowed("at least 2")
          .about("few-shot: how many are drawn")
          .checked(episodes -> Check.inRange("episodes", episodes, 2, 1 << 24));

  public static final Setting<String> TEMPLATES =
      Setting.text("", "--templates")
          .in(HOW_GOOD, "FILE")
          .about(
              "measure templates of several examples in place of examples, with their subjects as"
                  + " classes: TEMPLATE<TAB>SUBJECT<TAB>NAME a line, and <TAB>MEDIUM if known");

  public static final Setting<Integer> BOOTSTRAP =
      Setting.integer("", "--bootstrap")
          .in(HOW_GOOD, "NUMBER")
          .by("1000")
          .allowed("at least 0; 0: no intervals")
          .about("draws of classes that the 95 % confidence intervals are made from")
          .checked(draws -> Check.inRange("bootstrap", draws, 0, 1_000_000));

  public static final Setting<String> OUT =
      Setting.text("", "--out")
          .in(OUTPUT, "FOLDER")
          .about("write evaluation.json, and evaluation.html with plots, into this folder");

  private static final Map<Protocol, List<Setting<?>>> OF_PROTOCOL =
      Map.of(
          Protocol.VERIFICATION,
          List.of(PAIRS),
          Protocol.IDENTIFICATION,
          List.of(PROBES, GALLERY, DISTRACTORS),
          Protocol.FEW_SHOT,
          List.of(WAYS, SHOTS, EPISODES),
          Protocol.RETRIEVAL,
          List.of());

  /** Those that need any protocol but the closed set. */
  private static final List<Setting<?>> OF_ANY =
      List.of(TEMPLATES, BOOTSTRAP, RunSettings.SEED, OUT);

  /** Those of the closed set. */
  private static final List<Setting<?>> OF_CLOSED_SET = List.of(RunSettings.K);

  /** All of them. */
  public static final List<Setting<?>> ALL =
      List.of(
          PROTOCOL,
          PAIRS,
          PROBES,
          GALLERY,
          DISTRACTORS,
          WAYS,
          SHOTS,
          EPISODES,
          TEMPLATES,
          BOOTSTRAP,
          RunSettings.SEED,
          OUT);

  private ProtocolSettings() {}

  /**
   * Holds the flags that were given against the protocols.
   *
   * @param ofClosedSet more flags that belong to the closed set
   * @throws UsageException with a sentence about the first that has nothing to say
   */
  public static void requireFitting(Settings settings, List<Setting<?>> ofClosedSet) {
    var protocols = settings.get(PROTOCOL);
    for (var protocol : Protocol.values()) {
      if (!protocols.contains(protocol)) {
        Objects.requireNonNull(OF_PROTOCOL.get(protocol))
            .forEach(s -> refuse(settings, s, "belongs to --protocol " + protocol + "; add that"));
      }
    }
    if (protocols.isEmpty()) {
      OF_ANY.forEach(
          s ->
              refuse(
                  settings,
                  s,
                  "belongs to the open protocols; add --protocol " + Protocol.names()));
    } else {
      Stream.concat(OF_CLOSED_SET.stream(), ofClosedSet.stream())
          .forEach(s -> refuse(settings, s, "belongs to --protocol closed-set; leave it out"));
    }
    if (settings.get(PROBES).isEmpty() != settings.get(GALLERY).isEmpty()) {
      throw new UsageException("--probes and --gallery go together; give both or none");
    }
  }

  private static void refuse(Settings settings, Setting<?> setting, String why) {
    if (settings.given(setting).isPresent()) {
      throw new UsageException(setting.flag() + " " + why);
    }
  }
}
