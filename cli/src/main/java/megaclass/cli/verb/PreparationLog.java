// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import static megaclass.cli.text.Quantity.count;
import static megaclass.cli.text.Quantity.duration;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.cli.run.Message;
import megaclass.cli.run.RunLog;
import megaclass.cli.source.PreparationListener;
import megaclass.data.Conversion;
import megaclass.formats.ImageSource;

/**
 * Says how data is prepared.
 *
 * @param log where it is said
 */
record PreparationLog(RunLog log) implements PreparationListener {
  @Override
  public void fetching(String artifact) {
    String text = "fetch     " + artifact + " with Maven";
    log.say(new Message("fetching", Map.of("artifact", artifact), text));
  }

  @Override
  public void converting(String source, Path target) {
    String text = "convert   " + source + " once, into " + target;
    log.say(new Message("converting", Map.of("source", source, "target", target.toString()), text));
  }

  @Override
  public void converted(Conversion.Result result, double seconds) {
    var fields = new LinkedHashMap<String, Object>();
    fields.put("trainExamples", result.trainExamples());
    fields.put("testExamples", result.testExamples());
    fields.put("numClasses", result.numClasses());
    fields.put("merged", result.merged());
    fields.put("seconds", seconds);
    String held =
        result.testExamples() == 0 ? "" : ", " + count(result.testExamples()) + " to test on";
    String text =
        "converted %s examples%s, %s classes in %s\n"
            .formatted(
                count(result.trainExamples()), held, count(result.numClasses()), duration(seconds));
    log.say(new Message("converted", fields, text));
  }

  @Override
  public void skipped(ImageSource.Skipped images) {
    var fields = Map.of("skipped", images.count(), "first", images.first());
    var first = images.first().stream().map(fault -> "\n          " + fault).toList();
    String more = images.count() > first.size() ? "\n          ..." : "";
    String text =
        "left out  %s images that cannot be used (--bad-images skip):%s%s\n"
            .formatted(count(images.count()), String.join("", first), more);
    log.say(new Message("skippedImages", fields, text));
  }

  @Override
  public void foundConverted(Path train, Path test) {
    var fields = Map.of("train", train.toString(), "test", test.toString());
    log.say(new Message("foundConverted", fields, ""));
  }
}
