package database

import (
	"strings"
	"testing"
)

func TestCommentsRestartNothing(t *testing.T) {
	const text = "#!/bin/sh\nset -eu\n[ -e file ] || touch file # why\n"
	commented := strings.ReplaceAll(text, "set", "# A comment.\n\n\t# Another.\nset")
	if got := withoutComments(commented); got != text {
		t.Errorf("got %q, want %q", got, text)
	}
	for _, file := range []string{startScript, completeScript, serverConfig} {
		if withoutComments(file) == file {
			t.Error("a file has no comments, so this tries nothing")
		}
	}
}
