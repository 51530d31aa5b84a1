// SPDX-License-Identifier: Apache-2.0
package megaclass;

/** The backend that the tests are asked to run with: {@code -Dmegaclass.backend=scalar}. */
public final class TestBackend {
  /** "auto", "vector" or "scalar". */
  public static final String NAME = System.getProperty("megaclass.backend", "auto");

  private TestBackend() {}
}
