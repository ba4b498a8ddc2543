package org.sparkqlora.options;

import java.net.URISyntaxException;
import java.net.URL;
import java.util.Objects;
import org.apache.logging.log4j.Level;
import org.apache.logging.log4j.core.config.Configurator;

/** Warnings and errors only, unless the user has a logging configuration of their own. */
public final class QuietLogging {
    private QuietLogging() {}

    /** No more: what breaks while a process is asked to end is no news. */
    public static void silence() {
        Configurator.setAllLevels("", Level.OFF);
    }

    public static void install() {
        if (System.getProperty("log4j2.configurationFile") != null
                || System.getProperty("log4j.configurationFile") != null) {
            return;
        }

        URL settings = settings();
        try {
            Configurator.reconfigure(settings.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException("Cannot configure logging from " + settings, e);
        }
    }

    static URL settings() {
        return Objects.requireNonNull(QuietLogging.class.getResource("log4j2.properties"));
    }
}
