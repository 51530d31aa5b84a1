// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.verb;

import java.util.List;
import megaclass.cli.Arguments;
import megaclass.cli.Console;
import megaclass.cli.UsageException;
import megaclass.cli.Verb;
import megaclass.cli.settings.Setting;

/** {@code megaclass bench}: listed here, but the launcher hands it to the bench module. */
public final class BenchVerb implements Verb {
  @Override
  public String name() {
    return "bench";
  }

  @Override
  public String summary() {
    return "measure speed, accuracy and memory on this machine";
  }

  @Override
  public List<String> synopses() {
    return List.of("bench ...                        see megaclass bench --help");
  }

  @Override
  public List<Setting<?>> flags() {
    return List.of();
  }

  @Override
  public List<String> examples() {
    return List.of("megaclass bench --help");
  }

  @Override
  public int run(Arguments arguments, Console console) {
    throw new UsageException(
        "the benchmarks are a program of their own, which the launcher starts: ./megaclass bench");
  }
}
