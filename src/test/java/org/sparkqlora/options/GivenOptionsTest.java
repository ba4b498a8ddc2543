package org.sparkqlora.options;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Set;
import org.junit.jupiter.api.Test;
import org.sparkqlora.cli.RootCommand;
import picocli.CommandLine;

class GivenOptionsTest {
    @Test
    void anOptionThatIsGivenTwiceIsPassedOnOnce() {
        CommandLine root = RootCommand.commandLine();
        root.parseArgs("train", "--data", "a", "--data=b,c", "--use-dora", "--result", "r", "--rank", "4");

        assertThat(new GivenOptions(root.getParseResult().subcommand().commandSpec()).without(Set.of("--rank")))
                .containsExactly("--data=a", "--data=b,c", "--use-dora");
    }
}
