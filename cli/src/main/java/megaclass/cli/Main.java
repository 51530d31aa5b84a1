// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.util.List;
import megaclass.cli.verb.BenchVerb;
import megaclass.cli.verb.ConvertVerb;
import megaclass.cli.verb.EmbedVerb;
import megaclass.cli.verb.EvaluateVerb;
import megaclass.cli.verb.GlyphsVerb;
import megaclass.cli.verb.InspectVerb;
import megaclass.cli.verb.PlanVerb;
import megaclass.cli.verb.PredictVerb;
import megaclass.cli.verb.SynthVerb;
import megaclass.cli.verb.TrainVerb;

/** The {@code megaclass} command: hands the words of the command line to the verb they name. */
public final class Main {
  static final List<Verb> VERBS =
      List.of(
          new TrainVerb(),
          new EvaluateVerb(),
          new PredictVerb(),
          new PlanVerb(),
          new InspectVerb(),
          new EmbedVerb(),
          new ConvertVerb(),
          new SynthVerb(),
          new GlyphsVerb(),
          new BenchVerb());

  private Main() {}

  /** Runs one verb and ends with its exit code, see {@link ExitCode}. */
  public static void main(String[] args) {
    System.exit(new Shell(VERBS, Console.ofProcess()).run(args));
  }
}
