// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.nio.file.Path;
import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.ExitCode;
import megaclass.cli.Verb;
import megaclass.cli.run.RunLog;
import megaclass.cli.settings.OutputSettings;
import megaclass.cli.settings.Question;
import megaclass.cli.settings.RunSettings;
import megaclass.cli.settings.Setting;
import megaclass.cli.settings.Settings;
import megaclass.data.Conversion;
import megaclass.data.PlantedClasses;
import megaclass.data.PlantedExamples;

/** {@code megaclass synth}: a made-up data set whose classes are confusable. */
public final class SynthVerb implements Verb {
  private static final Setting<Integer> NUM_CLASSES =
      Setting.integer("", "--num-classes")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("1000")
          .about("how many classes")
          .checked(PlantedClasses.defaults()::withNumClasses);

  private static final Setting<Integer> DIM =
      Setting.integer("", "--dim")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("64")
          .about("features an example")
          .checked(PlantedClasses.defaults()::withDim);

  private static final Setting<Integer> EXAMPLES_PER_CLASS =
      Setting.integer("", "--examples-per-class")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("20")
          .about("how many on average")
          .checked(PlantedClasses.defaults()::withExamplesPerClass);

  private static final Setting<Integer> SEEN_CLASSES =
      Setting.integer("", "--seen-classes")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("0")
          .about("how many classes, drawn at random, have examples; 0: all");

  private static final Setting<Double> NOISE =
      Setting.number("", "--noise")
          .in(Question.FROM_WHAT, "LENGTH")
          .by("1")
          .about("length of the random part of an example; class centres are about 1 long")
          .checked(length -> PlantedClasses.defaults().withNoise(length.floatValue()));

  private static final Setting<Integer> NUM_FAMILIES =
      Setting.integer("", "--num-families")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("0")
          .about("families of confusable classes; 0: the root of the number of classes");

  private static final Setting<Double> SPREAD =
      Setting.number("", "--spread")
          .in(Question.FROM_WHAT, "LENGTH")
          .by("0.5")
          .about("distance of classes from the centre of their family")
          .checked(length -> PlantedClasses.defaults().withSpread(length.floatValue()));

  private static final Setting<Double> ZIPF_EXPONENT =
      Setting.number("", "--zipf-exponent")
          .in(Question.FROM_WHAT, "NUMBER")
          .by("0")
          .about("0: classes are equally frequent; 1: as words in texts are")
          .checked(PlantedClasses.defaults()::withZipfExponent);

  private static final Setting<Double> FLIPPED_SHARE =
      Setting.number("", "--flipped-share")
          .in(Question.FROM_WHAT, "SHARE")
          .by("0")
          .about("share of the examples that carry a wrong label")
          .checked(PlantedClasses.defaults()::withFlippedShare);

  private static final Setting<Boolean> WARPED =
      Setting.onOff("", "--warped")
          .in(Question.FROM_WHAT, "")
          .about("pass rows through a fixed random map, so that a backbone has something to learn");

  private static final Setting<Integer> TEST_EXAMPLES_PER_CLASS =
      Setting.integer("", "--test-examples-per-class")
          .in(Question.OUTPUT, "NUMBER")
          .by("5")
          .about("how many of them go to the test file, drawn anew from the same classes");

  private static final Setting<String> TEST =
      Setting.text("", "--test").in(Question.OUTPUT, "FILE.mcd").about("write test examples there");

  @Override
  public String name() {
    return "synth";
  }

  @Override
  public String summary() {
    return "make up a data set of confusable classes";
  }

  @Override
  public List<String> synopses() {
    return List.of("synth OUT.mcd [flags]");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of(
        NUM_CLASSES,
        DIM,
        EXAMPLES_PER_CLASS,
        SEEN_CLASSES,
        NOISE,
        NUM_FAMILIES,
        SPREAD,
        ZIPF_EXPONENT,
        FLIPPED_SHARE,
        WARPED,
        RunSettings.SEED,
        TEST,
        TEST_EXAMPLES_PER_CLASS,
        OutputSettings.LOG);
  }

  @Override
  public List<String> examples() {
    return List.of(
        "megaclass synth planted.mcd --test planted-test.mcd --num-classes 10000",
        "megaclass train planted.mcd --test planted-test.mcd --epochs 5");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    String out = arguments.word("the .mcd file to write");
    var settings = arguments.settings(flags());
    var listener = new PreparationLog(new RunLog(console, settings.get(OutputSettings.LOG)));
    var spec = spec(settings);
    write(spec, out, console, listener);
    String test = settings.get(TEST);
    if (!test.isEmpty()) {
      int examples = settings.get(TEST_EXAMPLES_PER_CLASS);
      write(spec.withSample(1).withExamplesPerClass(examples), test, console, listener);
    }
    return ExitCode.DONE;
  }

  private static PlantedClasses spec(Settings settings) {
    return PlantedClasses.defaults()
        .withNumClasses(settings.get(NUM_CLASSES))
        .withDim(settings.get(DIM))
        .withExamplesPerClass(settings.get(EXAMPLES_PER_CLASS))
        .withSeenClasses(settings.get(SEEN_CLASSES))
        .withNoise(settings.get(NOISE).floatValue())
        .withNumFamilies(settings.get(NUM_FAMILIES))
        .withSpread(settings.get(SPREAD).floatValue())
        .withZipfExponent(settings.get(ZIPF_EXPONENT))
        .withFlippedShare(settings.get(FLIPPED_SHARE))
        .withWarped(settings.get(WARPED))
        .withSeed(settings.get(RunSettings.SEED));
  }

  private static void write(
      PlantedClasses spec, String out, Console console, PreparationLog listener) {
    long start = System.nanoTime();
    listener.converting(spec.toString(), Path.of(out));
    var result = Conversion.whole(new PlantedExamples(spec), console.path(out));
    listener.converted(result, (System.nanoTime() - start) * 1e-9);
  }
}
