// SPDX-License-Identifier: Apache-2.0
package megaclass.cli.run;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.function.BooleanSupplier;
import megaclass.cli.ExitCode;
import org.jspecify.annotations.Nullable;

/**
 * Listens to Ctrl-C (and to a polite kill) while it is open: the first one asks the run to stop,
 * the second one ends the process at once.
 */
public final class StopSignal implements BooleanSupplier, AutoCloseable {
  private final Runnable atFirst;
  private final List<Registration> registrations;
  private volatile boolean asked;

  /**
   * Starts to listen.
   *
   * @param atFirst called at the first signal, on another thread
   */
  public StopSignal(Runnable atFirst) {
    this.atFirst = atFirst;
    this.registrations =
        List.of(Registration.of("INT", this::heard), Registration.of("TERM", this::heard));
  }

  /** Whether the run should stop. */
  @Override
  public boolean getAsBoolean() {
    return asked;
  }

  /** Listens no more. */
  @Override
  public void close() {
    registrations.forEach(Registration::undo);
  }

  private void heard() {
    if (asked) {
      Runtime.getRuntime().halt(ExitCode.INTERRUPTED);
    }
    asked = true;
    atFirst.run();
  }

  /**
   * A handler of a signal. Java hears of signals through sun.misc.Signal alone, for which the
   * compiler has a warning that cannot be turned off; hence by reflection.
   *
   * @param signal a sun.misc.Signal
   * @param before the sun.misc.SignalHandler that was there before
   */
  private record Registration(Object signal, Object before) {
    static Registration of(String name, Runnable heard) {
      try {
        var signal = Class.forName("sun.misc.Signal").getConstructor(String.class);
        var handlerType = Class.forName("sun.misc.SignalHandler");
        var handler =
            Proxy.newProxyInstance(
                handlerType.getClassLoader(),
                new Class<?>[] {handlerType},
                (_, method, _) -> answer(method.getName(), heard));
        var number = signal.newInstance(name);
        return new Registration(number, handle(number, handler));
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("this Java cannot listen to the signal " + name, e);
      }
    }

    void undo() {
      try {
        handle(signal, before);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException("cannot give back the signal " + signal, e);
      }
    }

    private static Object handle(Object signal, Object handler)
        throws ReflectiveOperationException {
      var handlerType = Class.forName("sun.misc.SignalHandler");
      var handle = signal.getClass().getMethod("handle", signal.getClass(), handlerType);
      return handle.invoke(null, signal, handler);
    }

    private static @Nullable Object answer(String method, Runnable heard) {
      return switch (method) {
        case "handle" -> {
          heard.run();
          yield null;
        }
        case "equals" -> false; // it is compared with other handlers only
        case "hashCode" -> 0;
        default -> "stop signal";
      };
    }
  }
}
