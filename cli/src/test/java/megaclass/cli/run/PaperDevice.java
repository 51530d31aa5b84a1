// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.util.LinkedHashMap;
import java.util.Map;
import megaclass.head.HeadProblem;
import megaclass.head.HeadProvider;
import megaclass.head.HeadSettings;
import megaclass.head.TrainingHead;

/** Backend "paper": a device to plan for, on which nothing runs. */
public final class PaperDevice implements HeadProvider {
  @Override
  public String name() {
    return "paper";
  }

  @Override
  public Device device(int number) {
    if (number > 0) {
      throw new IllegalArgumentException("there is device 0, but device " + number + " is wanted");
    }
    return new Device("a sheet", 3L << 20);
  }

  @Override
  public Map<String, Long> deviceBytes(HeadSettings settings) {
    var terms = new LinkedHashMap<String, Long>();
    terms.put("class weights", 4L * settings.numClasses() * settings.dim());
    terms.put("batch", 4L * settings.batchSize() * settings.dim());
    return terms;
  }

  @Override
  public TrainingHead open(HeadProblem problem) {
    throw new UnsupportedOperationException("nothing runs on paper");
  }
}
