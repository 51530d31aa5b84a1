// SPDX-License-Identifier: Apache-2.0
package megaclass.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Objects;
import java.util.Properties;

/** What the build wrote into the program: its version and those of the tools it calls. */
public final class BuildInfo {
  private static final Properties PROPERTIES = load();

  private BuildInfo() {}

  /** Version of this program. */
  public static String version() {
    return PROPERTIES.getProperty("version");
  }

  /** Version of Maven's dependency plugin, which fetches data sets. */
  public static String dependencyPluginVersion() {
    return PROPERTIES.getProperty("dependencyPlugin.version");
  }

  /** Version of the charts in the report. */
  public static String echartsVersion() {
    return PROPERTIES.getProperty("echarts.version");
  }

  private static Properties load() {
    var properties = new Properties();
    try (var in = BuildInfo.class.getResourceAsStream("build.properties")) {
      properties.load(Objects.requireNonNull(in));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read build.properties of the program", e);
    }
    return properties;
  }
}
