package org.sparkqlora.run.export;

import java.util.List;
import java.util.Locale;
import org.sparkqlora.checkpoint.Server;
import org.sparkqlora.checkpoint.hub.HubId;
import org.sparkqlora.input.ShellWord;
import org.sparkqlora.model.layout.LoraSpec;
import org.sparkqlora.run.model.AdapterStart;
import org.sparkqlora.spark.cluster.Location;

/**
 * Whether a server adds an adapter to its base at run time.
 *
 * @param objections why not; nothing if it does
 */
public record ServerCheck(Server server, LoraSpec lora, List<String> objections) {
    public ServerCheck {
        objections = List.copyOf(objections);
    }

    /** Reads the adapter's config alone. */
    public static ServerCheck of(Server server, Location adapter) {
        LoraSpec lora = AdapterStart.config(adapter).lora();
        return new ServerCheck(server, lora, server.objections(lora));
    }

    public boolean fits() {
        return objections.isEmpty();
    }

    /** The commands that serve what there is now. */
    public String command(String base, String written) {
        String name = name(written);
        if (!fits()) {
            return server.serveModel(written, name);
        }

        String serve = server.serveAdapter(HubId.publicName(base), written, name, lora);
        return server.readsGguf()
                ? "spark-qlora export --model %s --output base.gguf\n%s".formatted(ShellWord.quoted(base), serve)
                : serve;
    }

    /** The last part of a path; runs publish their adapters under one name, so there it is the run's. */
    private static String name(String path) {
        String last =
                path.replaceAll("(/adapter)?/*$", "").replaceAll(".*/", "").replaceAll("\\.gguf$", "");
        return last.toLowerCase(Locale.ROOT).replaceAll("[^a-z0-9._-]+", "-");
    }
}
